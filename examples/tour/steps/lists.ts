import type { Chat, History, Message, Unread } from '@microchatter/protocol'
import type { Person } from '../people.ts'
import type { Scene } from '../scene.ts'

export async function chatsOf(person: Person, query = ''): Promise<Chat[]> {
  return (await person.ask<{ items: Chat[] }>('GET', `/chats${query}`)).items
}

function idsOf(chats: Chat[]): string[] {
  return chats.map(({ id }) => id)
}

export async function listChats({ story, alice, bob, carol, chatId }: Scene): Promise<string> {
  story.step('The list: newest first, with what is unread')
  const others = (await carol.sendTo(alice, 'Hi, Carol here')).chatId
  await carol.sendTo(alice, 'Call me')
  const chats = await chatsOf(alice)
  story.same("Carol's chat is above Bob's", idsOf(chats), [others, chatId])
  story.same(
    'unread: 2 and 1',
    chats.map(({ unread }) => unread),
    [2, 1],
  )
  story.show({ id: others, unread: 2, lastMessage: chats[0]?.lastMessage })
  story.same('GET /unread, for the menu of the site', await alice.ask('GET', '/unread'), {
    total: 3,
    chats: 2,
  })
  await bob.sendTo(alice, 'Saturday at ten?')
  story.same('a new message moves its chat up', idsOf(await chatsOf(alice)), [chatId, others])
  await alice.ask('PUT', `/chats/${others}/read`, { seq: 2 })
  story.same('?unread=true', idsOf(await chatsOf(alice, '?unread=true')), [chatId])
  story.same('?unread=false', idsOf(await chatsOf(alice, '?unread=false')), [others])
  const first = await alice.ask<{ items: Chat[]; nextCursor: string }>('GET', '/chats?limit=1')
  const second = await chatsOf(alice, `?limit=1&cursor=${encodeURIComponent(first.nextCursor)}`)
  const paged = idsOf([...first.items, ...second])
  story.same('page by page it is the same list', paged, [chatId, others])
  return others
}

export async function readAndUnread({ story, chatId, alice, phone, laptop, bobs }: Scene) {
  story.step('Read and unread: on all devices, and the other one sees it')
  const { lastSeq } = await alice.ask<Chat>('GET', `/chats/${chatId}`)
  const { read } = await phone.ask('chat.read', { chatId, seq: lastSeq })
  story.fits('the phone marks as read', read, { chatId, seq: lastSeq, unread: 0 })
  const atLaptop = await laptop.next('read.updated', ({ seq }) => seq === lastSeq)
  story.fits('the laptop follows', atLaptop, { chatId, unread: 0 })
  const zero = await laptop.next('unread.updated', ({ total }) => total === 0)
  story.same('with a badge of zero', zero, { total: 0, chats: 0 } satisfies Unread)
  const atBob = await bobs.next('read.updated')
  story.same('Bob sees how far she has read, and nothing more', atBob, {
    chatId,
    username: alice.username,
    seq: lastSeq,
    rev: read.rev,
    lastSeq,
  })
  const back = await alice.ask<object>('PUT', `/chats/${chatId}/read`, {
    seq: lastSeq - 1,
    unread: true,
  })
  story.fits('by REST she marks it as unread again', back, { unread: 1 })
  const isBack = await phone.next('read.updated', ({ unread }) => unread === 1)
  story.fits('the phone follows', isBack, { chatId, seq: lastSeq - 1 })
}

export async function readHistory({ story, chatId, alice, bobs }: Scene) {
  story.step('History: newest, before, after, around')
  for (let n = 1; n <= 12; n += 1) await bobs.ask('message.send', { chatId, body: `detail ${n}` })
  const { lastSeq: last } = await alice.ask<Chat>('GET', `/chats/${chatId}`)
  const page = async (query: string) => {
    const { items, hasBefore, hasAfter } = await alice.ask<History>(
      'GET',
      `/chats/${chatId}/messages${query}`,
    )
    return { seqs: items.map(({ seq }: Message) => seq), hasBefore, hasAfter }
  }
  const newest = await page('?limit=3')
  story.show(newest)
  story.same('the newest three, oldest first', newest, {
    seqs: [last - 2, last - 1, last],
    hasBefore: true,
    hasAfter: false,
  })
  story.same('?before: the page above', await page(`?limit=3&before=${last - 2}`), {
    seqs: [last - 5, last - 4, last - 3],
    hasBefore: true,
    hasAfter: true,
  })
  story.same('?after: what is newer', await page('?limit=2&after=0'), {
    seqs: [1, 2],
    hasBefore: false,
    hasAfter: true,
  })
  story.same('?around: a place in the middle', (await page('?limit=3&around=6')).seqs, [5, 6, 7])
}
