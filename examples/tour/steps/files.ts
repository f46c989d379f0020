import type { File, FileLink, Message } from '@microchatter/protocol'
import type { Person } from '../people.ts'
import type { Scene } from '../scene.ts'

/** A picture of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** Left out where a given server takes none. */
export async function sendFile({ story, chatId, alice, bob, phone, carol, place }: Scene) {
  story.step('A picture: uploaded, sent, fetched, and gone')
  const { status, body: file } = await upload(alice, PNG, 'pixel.png')
  if (!place.own && status === 403) return story.note('this server takes no files')
  story.fits('an upload, in one request of tus', file, { kind: 'image', width: 1, height: 1 })
  const { message } = await phone.ask('message.send', { chatId, files: [{ id: file.id }] })
  story.show(message)
  story.same('the message has it', message.files?.[0]?.name, 'pixel.png')
  const { seq } = message
  const linksOf = async (one: Person) => {
    const body = { files: [{ chatId, seq, fileId: file.id }] }
    return (await one.ask<{ items: FileLink[] }>('POST', '/files/links', body)).items
  }
  const url = new URL((await linksOf(bob))[0]?.url ?? '', bob.url)
  const answer = await fetch(url)
  story.same('Bob gets an address for a few minutes', answer.status, 200)
  story.same('of a picture', answer.headers.get('content-type'), 'image/png')
  story.same('Carol, who is not in the chat, gets none', await linksOf(carol), [])
  const found = await bob.ask<{ items: Message[] }>('GET', '/search?q=pixel&has=image')
  story.same('it is found by its name', found.items[0]?.seq, seq)
  await alice.ask('DELETE', `/chats/${chatId}/messages/${seq}`)
  story.same('with the message it is gone', (await fetch(url)).status, 404)
}

async function upload({ url, authorization }: Person, bytes: Buffer, name: string) {
  const answer = await fetch(`${url}/uploads`, {
    method: 'POST',
    headers: {
      authorization,
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'upload-length': String(bytes.length),
      'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
    },
    body: new Uint8Array(bytes),
  })
  return { status: answer.status, body: (await answer.json()) as File }
}
