/** Every call of the table, by everyone that there is. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type {
  Chat,
  File,
  FileLink,
  History,
  Invite,
  Login,
  Message,
  Scheduled,
  Session,
} from '@microchatter/protocol'
import { uuidv7 } from 'uuidv7'
import { ROUTES } from '../src/http/routes.ts'
import { type Person, type Reply, SKIP, startServer, type TestServer } from './support/http.ts'

/** A group, open to anyone: ann owns it, gus is its admin, hal a member, ivy has left it. */
interface GroupWorld {
  gus: Person
  hal: Person
  ivy: Person
  chat: string
  /** Of each that calls: a member and a link that it alone does something to. */
  targets: Record<string, { username: string; code: string }>
}

/** Ann and bob have a chat. Ann has blocked dan, with whom she has one, too. Cat has nothing. */
interface World {
  ann: Person
  bob: Person
  cat: Person
  dan: Person
  deactivated: Person
  deleted: Person
  chat: string
  danChat: string
  /** Of ann. */
  session: string
  group: GroupWorld
  scheduled: string
  /** Of ann: not whole, and one that bob has got. */
  upload: string
  file: FileLink
}

interface Scene {
  world: World
  /** Who calls: stranger, blocked, member or admin. */
  who: string
  /** The chat that is called about: for the blocked his own with ann, for others ann's with bob. */
  chat: string
  /** Someone else. */
  other: string
  /** Of the group. */
  target: { username: string; code: string }
}

interface Row {
  address: (scene: Scene) => string
  json?: (scene: Scene) => unknown
  headers?: Record<string, string>
  /** What each is answered. Nobody, the deactivated and the deleted: the same everywhere. */
  stranger: number
  blocked: number
  member: number
  admin: number
  /** About the group, where it tells them apart; a stranger and an admin are answered as above. */
  group?: Record<'owner' | 'groupAdmin' | 'groupMember' | 'exMember', number>
}

const TUS = { 'tus-resumable': '1.0.0' }
const BYTES = { ...TUS, 'content-type': 'application/offset+octet-stream' }
/** Of ann alone. */
const uploader = (status: number) => ({ ...everyone(404), member: status })
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

const everyone = (status: number) => ({
  stranger: status,
  blocked: status,
  member: status,
  admin: status,
})
const adminOnly = (status: number) => ({ ...everyone(403), admin: status })
const members = (status: number) => ({ ...everyone(404), blocked: status, member: status })

/** Of what reaches the other: not where one has blocked the other. */
const unblocked = (status: number) => ({ ...members(status), blocked: 403 })
const THUMB = encodeURIComponent('👍')
/** Of the caller's own first message. */
const message =
  (rest: string) =>
  ({ chat }: Scene) =>
    `/chats/${chat}/messages/1${rest}`
const inGroup = (status: number) => ({
  owner: status,
  groupAdmin: status,
  groupMember: status,
  exMember: 404,
})
/** Of those that are for the group's admins, and not for direct chats. */
const ofAdmins = (status: number) => ({
  ...members(403),
  group: { ...inGroup(status), groupMember: 403 },
})

const NOBODY = { username: 'bob', code: 'x'.repeat(32) }

const ROWS: Record<string, Row> = {
  logIn: { address: () => '/users/login', ...everyone(200) },
  registerUser: {
    address: () => '/users/register',
    json: ({ world, who }) => ({ username: `${world.ann.username}-${who}` }),
    ...adminOnly(201),
  },
  listUsers: { address: () => '/users', ...adminOnly(200) },
  getUser: { address: ({ other }) => `/users/${other}`, ...everyone(200) },
  editUser: {
    address: ({ other }) => `/users/${other}`,
    json: () => ({ displayName: 'X' }),
    ...adminOnly(200),
  },
  deleteUser: { address: ({ other }) => `/users/${other}`, ...adminOnly(204) },
  listSessions: { address: () => '/users/me/sessions', ...everyone(200) },
  revokeSessions: { address: () => '/users/me/sessions', ...everyone(204) },
  revokeSession: {
    address: ({ world }) => `/users/me/sessions/${world.session}`,
    ...everyone(404),
    member: 204,
  },
  listBlocks: { address: () => '/users/me/blocks', ...everyone(200) },
  blockUser: { address: ({ other }) => `/users/me/blocks/${other}`, ...everyone(204) },
  unblockUser: { address: ({ other }) => `/users/me/blocks/${other}`, ...everyone(204) },
  listChats: { address: () => '/chats', ...everyone(200) },
  openChat: {
    address: () => '/chats',
    json: ({ other }) => ({ username: other }),
    ...everyone(201),
    blocked: 200,
    member: 200,
  },
  sendToUser: {
    address: ({ other }) => `/chats/users/${other}/messages`,
    json: () => ({ body: 'hello' }),
    ...everyone(201),
    blocked: 403,
  },
  listOpenGroups: { address: () => '/chats/open', ...everyone(200) },
  previewInvite: {
    address: ({ target }) => `/chats/invites/${target.code}`,
    ...everyone(200),
    group: { ...inGroup(200), exMember: 200 },
  },
  joinByInvite: {
    address: ({ target }) => `/chats/invites/${target.code}`,
    ...everyone(200),
    group: { ...inGroup(200), exMember: 200 },
  },
  joinOpenGroup: {
    address: ({ chat }) => `/chats/${chat}/join`,
    ...members(200),
    group: { ...inGroup(200), exMember: 200 },
  },
  listMembers: {
    address: ({ chat }) => `/chats/${chat}/members`,
    ...members(200),
    group: inGroup(200),
  },
  addMembers: {
    address: ({ chat }) => `/chats/${chat}/members`,
    json: ({ world }) => ({ usernames: [world?.cat.username ?? 'x'] }),
    ...ofAdmins(200),
  },
  editMember: {
    address: ({ chat, target }) => `/chats/${chat}/members/${target.username}`,
    json: () => ({ role: 'admin' }),
    ...ofAdmins(200),
  },
  removeMember: {
    address: ({ chat, target }) => `/chats/${chat}/members/${target.username}`,
    ...ofAdmins(204),
  },
  createInvite: {
    address: ({ chat }) => `/chats/${chat}/invites`,
    json: () => ({ maxUses: 5 }),
    ...ofAdmins(201),
  },
  listInvites: { address: ({ chat }) => `/chats/${chat}/invites`, ...ofAdmins(200) },
  revokeInvite: {
    address: ({ chat, target }) => `/chats/${chat}/invites/${target.code}`,
    ...ofAdmins(204),
  },
  getChat: { address: ({ chat }) => `/chats/${chat}`, ...members(200), group: inGroup(200) },
  editChat: {
    address: ({ chat }) => `/chats/${chat}`,
    json: ({ chat, world }) =>
      chat !== undefined && chat === world.group.chat ? { title: 'X' } : { pinned: true },
    ...members(200),
    group: { ...inGroup(200), groupMember: 403 },
  },
  deleteChat: { address: ({ chat }) => `/chats/${chat}`, ...members(204), group: inGroup(204) },
  getHistory: {
    address: ({ chat }) => `/chats/${chat}/messages`,
    ...members(200),
    group: inGroup(200),
  },
  sendMessage: {
    address: ({ chat }) => `/chats/${chat}/messages`,
    json: () => ({ body: 'hello' }),
    ...members(201),
    blocked: 403,
    group: inGroup(201),
  },
  pressButton: {
    address: ({ chat }) => `/chats/${chat}/messages/1/press`,
    json: () => ({ button: 'x' }),
    ...members(400),
  },
  scheduleMessage: {
    address: ({ chat }) => `/chats/${chat}/scheduled`,
    json: () => ({ body: 'later', sendAt: inAnHour() }),
    ...members(201),
    blocked: 403,
  },
  listScheduled: { address: () => '/users/me/scheduled', ...everyone(200) },
  editScheduled: {
    address: ({ world }) => `/users/me/scheduled/${world.scheduled}`,
    json: () => ({ body: 'other' }),
    ...everyone(404),
    member: 200,
  },
  removeScheduled: {
    address: ({ world }) => `/users/me/scheduled/${world.scheduled}`,
    ...everyone(404),
    member: 204,
  },
  listReminders: { address: () => '/users/me/reminders', ...everyone(200) },
  setReminder: {
    address: ({ chat }) => `/chats/${chat}/messages/1/reminder`,
    json: () => ({ at: inAnHour() }),
    ...members(200),
  },
  removeReminder: {
    address: ({ chat }) => `/chats/${chat}/messages/1/reminder`,
    ...everyone(404),
    member: 204,
  },
  markRead: {
    address: ({ chat }) => `/chats/${chat}/read`,
    json: () => ({ seq: 1 }),
    ...members(200),
    group: inGroup(200),
  },
  listChanges: { address: ({ chat }) => `/chats/${chat}/changes?after=0`, ...members(200) },
  getMessage: { address: message(''), ...members(200) },
  editMessage: { address: message(''), json: () => ({ body: 'new' }), ...unblocked(200) },
  deleteMessage: { address: message(''), ...members(204) },
  listEdits: { address: message('/edits'), ...members(200) },
  listReactions: { address: message('/reactions'), ...members(200) },
  addReaction: { address: message(`/reactions/${THUMB}`), ...unblocked(200) },
  removeReaction: { address: message(`/reactions/${THUMB}`), ...unblocked(200) },
  vote: {
    address: ({ chat }) => `/chats/${chat}/messages/2/vote`,
    json: () => ({ options: [0] }),
    ...unblocked(200),
  },
  closePoll: { address: ({ chat }) => `/chats/${chat}/messages/2/vote`, ...unblocked(200) },
  listPins: { address: ({ chat }) => `/chats/${chat}/pins`, ...members(200) },
  pinMessage: { address: message('/pin'), ...unblocked(200) },
  unpinMessage: { address: message('/pin'), ...unblocked(200) },
  listStars: { address: () => '/users/me/stars', ...everyone(200) },
  searchMessages: { address: () => '/search?q=hello', ...everyone(200) },
  starMessage: { address: message('/star'), ...members(204) },
  unstarMessage: { address: message('/star'), ...members(204) },
  getSettings: { address: () => '/users/me/settings', ...everyone(200) },
  editSettings: {
    address: () => '/users/me/settings',
    json: () => ({ writeFrom: 'contacts' }),
    ...everyone(200),
  },
  listLabels: { address: () => '/users/me/labels', ...everyone(200) },
  markAllRead: { address: () => '/chats/read', ...everyone(200) },
  setDraft: {
    address: ({ chat }) => `/chats/${chat}/draft`,
    json: () => ({ body: 'hello' }),
    ...members(204),
  },
  deleteDraft: { address: ({ chat }) => `/chats/${chat}/draft`, ...members(204) },
  answerRequest: {
    address: ({ chat }) => `/chats/${chat}/request`,
    json: () => ({ accept: true }),
    ...members(200),
  },
  markDelivered: {
    address: ({ chat }) => `/chats/${chat}/delivered`,
    json: () => ({ seq: 1 }),
    ...members(200),
  },
  getReceipts: { address: ({ chat }) => `/chats/${chat}/messages/1/receipts`, ...members(200) },
  getPresence: { address: ({ other }) => `/presence?usernames=${other}`, ...everyone(200) },
  getFeatures: { address: () => '/features', ...everyone(200) },
  getUnread: { address: () => '/unread', ...everyone(200) },
  createUpload: {
    address: () => '/uploads',
    headers: { ...TUS, 'upload-length': '5' },
    ...everyone(201),
  },
  getUploadOffset: {
    address: ({ world }) => `/uploads/${world.upload}`,
    headers: TUS,
    ...uploader(200),
  },
  continueUpload: {
    address: ({ world }) => `/uploads/${world.upload}`,
    headers: { ...BYTES, 'upload-offset': '0' },
    ...uploader(204),
  },
  getUpload: { address: ({ world }) => `/uploads/${world.file.fileId}`, ...uploader(200) },
  removeUpload: { address: ({ world }) => `/uploads/${world.upload}`, ...uploader(204) },
  linkFiles: {
    address: () => '/files/links',
    json: ({ world }) => {
      const { chatId, seq, fileId } = world.file
      return { files: [{ chatId, seq, fileId }] }
    },
    ...everyone(200),
  },
  // Of bob, for whoever has it, as long as bob may see the file.
  getFile: { address: ({ world }) => world.file.url, ...everyone(200) },
  getLive: { address: () => '/health/live', ...everyone(200) },
  getReady: { address: () => '/health/ready', ...everyone(200) },
  getOpenApi: { address: () => '/openapi.json', ...everyone(200) },
  getDocs: { address: () => '/docs', ...everyone(200) },
  getDocsStyle: { address: () => '/docs/style.css', ...everyone(200) },
  getWidget: { address: () => '/widget.js', ...everyone(200) },
}

test('every route has a row of rights, and every row a route', () => {
  assert.deepEqual(new Set(Object.keys(ROWS)), new Set(ROUTES.map(({ name }) => name)))
})

describe('rights', { skip: SKIP }, () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  async function makeWorld(name: string): Promise<World> {
    const people = ['ann', 'bob', 'cat', 'dan', 'eve', 'fay'].map((who) =>
      server.person(`${who}-${name}`),
    )
    const [ann, bob, cat, dan, eve, fay] = (await Promise.all(people)) as [
      Person,
      Person,
      Person,
      Person,
      Person,
      Person,
    ]
    const first = await ann.call<Message>(`POST /chats/users/${bob.username}/messages`, {
      body: '1',
    })
    const second = await dan.call<Message>(`POST /chats/users/${ann.username}/messages`, {
      body: '1',
    })
    const poll = { body: 'tea?', poll: { options: ['yes', 'no'] } }
    await ann.call(`POST /chats/${first.body.chatId}/messages`, poll)
    await dan.call(`POST /chats/${second.body.chatId}/messages`, poll)
    const { chatId } = first.body
    const { upload, file } = await makeFiles(ann, bob, chatId)
    const sendAt = inAnHour()
    const waiting = await ann.call<Scheduled>(`POST /chats/${chatId}/scheduled`, {
      body: 'later',
      sendAt,
    })
    await ann.call(`PUT /chats/${chatId}/messages/1/reminder`, { at: sendAt })
    await ann.call(`PUT /users/me/blocks/${dan.username}`)
    const login = await ann.call<Login>('POST /users/login')
    const sessions = await ann.call<{ items: Session[] }>('GET /users/me/sessions')
    assert.equal(login.status, 200)
    // A JWT of a deleted user would make it anew; a session ends with its user.
    const { token } = (await fay.call<Login>('POST /users/login')).body
    await server.admin.call(`DELETE /users/${fay.username}`)
    await server.admin.call(`PATCH /users/${eve.username}`, { active: false })
    return {
      ann,
      bob,
      cat,
      dan,
      deactivated: eve,
      deleted: server.as('', `Bearer ${token}`),
      chat: first.body.chatId,
      danChat: second.body.chatId,
      session: sessions.body.items[0]?.id ?? '',
      group: await makeGroup(name, ann),
      scheduled: waiting.body.id,
      upload,
      file,
    }
  }

  async function makeFiles(ann: Person, bob: Person, chatId: string) {
    const size = { ...TUS, 'upload-length': '5' }
    const open = await ann.call('POST /uploads', undefined, size)
    const done = await server.call<File>('POST /uploads', {
      bytes: 'bytes',
      headers: { authorization: ann.authorization, ...BYTES, ...size },
    })
    const fileId = done.body.id
    const sent = await ann.call<Message>(`POST /chats/${chatId}/messages`, {
      files: [{ id: fileId }],
    })
    const { body } = await bob.call<{ items: FileLink[] }>('POST /files/links', {
      files: [{ chatId, seq: sent.body.seq, fileId }],
    })
    const [file] = body.items
    assert(file)
    return { upload: open.headers.get('location')?.slice(9) ?? '', file }
  }

  async function makeGroup(name: string, ann: Person): Promise<GroupWorld> {
    const [gus, hal, ivy] = await Promise.all(
      ['gus', 'hal', 'ivy'].map((who) => server.person(`${who}-${name}`)),
    )
    assert(gus && hal && ivy)
    const callers = ['owner', 'groupAdmin', 'groupMember', 'exMember']
    for (const who of callers) await server.person(`${who}-${name}`)
    const made = await ann.call<Chat>('POST /chats', {
      kind: 'group',
      title: 'Group',
      members: [
        ...[gus, hal, ivy].map(({ username }) => username),
        ...callers.map((who) => `${who}-${name}`),
      ],
      settings: { open: true },
    })
    const chat = made.body.id
    await ann.call(`PATCH /chats/${chat}/members/${gus.username}`, { role: 'admin' })
    assert.equal((await ivy.call(`DELETE /chats/${chat}/members/me`)).status, 204)
    const targets: GroupWorld['targets'] = {}
    for (const who of callers) {
      const invite = await ann.call<Invite>(`POST /chats/${chat}/invites`, {})
      targets[who] = { username: `${who}-${name}`, code: invite.body.code }
    }
    return { gus, hal, ivy, chat, targets }
  }

  for (const { name, method, access } of ROUTES) {
    test(`${name} answers everyone as the table of rights says`, async () => {
      const row = ROWS[name]
      assert.ok(row)
      const world = await makeWorld(name)
      const isOpen = access === 'public' || access === 'link'
      const refused = isOpen ? undefined : { nobody: 401, off: 403, gone: 401 }
      const { ann, bob, cat, dan } = world
      const cases: [string, Person, number, Partial<Scene>][] = [
        ['nobody', server.anyone, refused?.nobody ?? 200, {}],
        ['deactivated', world.deactivated, refused?.off ?? 200, {}],
        ['deleted', world.deleted, refused?.gone ?? 200, {}],
        ['stranger', cat, row.stranger, {}],
        ['blocked', dan, row.blocked, { chat: world.danChat }],
        ['member', ann, row.member, { other: bob.username }],
        ['admin', server.admin, row.admin, {}],
      ]
      const { gus, hal, ivy, targets, chat } = world.group
      if (row.group)
        cases.push(
          ['owner', ann, row.group.owner, { chat }],
          ['groupAdmin', gus, row.group.groupAdmin, { chat }],
          ['groupMember', hal, row.group.groupMember, { chat }],
          ['exMember', ivy, row.group.exMember, { chat }],
        )
      for (const [who, person, due, change] of cases) {
        const target = targets[who] ?? targets.owner
        assert(target)
        const scene: Scene = {
          world,
          who,
          chat: world.chat,
          other: ann.username,
          target,
          ...change,
        }
        const address: string = `${method} ${row.address(scene)}`
        const { status, text }: Reply = await person.call(address, row.json?.(scene), row.headers)
        assert.equal(status, due, `${who}: ${address} answered ${status} ${text}`)
      }
    })
  }

  test("a stranger cannot tell another's chat from none", async () => {
    const { chat, cat } = await makeWorld('same')
    const none = uuidv7()
    const about = ROUTES.filter(({ path }) => path.includes(':chatId'))
    assert.ok(about.length >= 6)
    for (const { name, method } of about) {
      const answers = [chat, none, chat.toUpperCase(), 'no-uuid'].map(async (id) => {
        const row = ROWS[name]
        const address = `${method} ${row?.address({ chat: id, other: 'bob', target: NOBODY } as Scene)}`
        const { status, headers, text } = await cat.call(
          address,
          row?.json?.({ target: NOBODY } as Scene),
        )
        const told = [...headers].filter(([header]) => !['date', 'x-request-id'].includes(header))
        return { status, told, text }
      })
      const [first, ...others] = await Promise.all(answers)
      assert.equal(first?.status, 404)
      for (const other of others) assert.deepEqual(other, first, name)
    }
  })

  test('nobody learns from the checks of a body or an address before being known', async () => {
    for (const { method, path, access, body } of ROUTES) {
      if (access === 'public' || access === 'link') continue
      const address = `${method} ${path.replaceAll(/:\w+/g, 'x'.repeat(500))}?unknown=1`
      const { status, body: problem } = await server.anyone.call(address, body && { unknown: 1 })
      assert.equal(status, 401, address)
      if (method !== 'HEAD') assert.equal(problem.code, 'unauthenticated')
    }
  })

  test('what the site says widens the rights: admins read chats, everyone searches', async () => {
    const open = await startServer({
      settings: {
        MICROCHATTER_ADMIN_READ_CHATS: 'true',
        MICROCHATTER_USERS_SEARCH: 'everyone',
      },
    })
    try {
      const [ann, bob] = [await open.person('ann'), await open.person('bob')]
      const { body: chat } = await ann.call<Chat>('POST /chats', { username: 'bob' })
      await ann.call(`POST /chats/${chat.id}/messages`, { body: 'hello' })
      const read = await open.admin.call<History>(`GET /chats/${chat.id}/messages`)
      assert.equal(read.body.items.length, 1)
      const audit = await open.db.query("SELECT actor FROM audit WHERE action = 'chat.read'")
      assert.deepEqual(audit, [{ actor: 'admin' }])
      assert.equal((await open.admin.call(`GET /chats/${chat.id}`)).status, 404)
      const found = await bob.call<{ items: unknown[] }>('GET /users?search=an')
      assert.deepEqual(found.body.items, [{ username: 'ann' }])
    } finally {
      await open.stop()
    }
  })
})
