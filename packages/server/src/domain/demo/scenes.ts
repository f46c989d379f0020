/** The chats of the demo, with all that there is in chats. The later ones are further up on the lists. */
import { Readable } from 'node:stream'
import type { FileDraft } from '@microchatter/protocol'
import { setDraft } from '../drafts.ts'
import { deleteMessage, editMessage } from '../edits.ts'
import { finishUpload, openUpload, receiveBytes } from '../files.ts'
import { updateChat } from '../groups.ts'
import { pinMessage } from '../pins.ts'
import { vote } from '../polls.ts'
import { SYSTEM } from '../rights.ts'
import { editSettings } from '../settings.ts'
import { starMessage } from '../stars.ts'
import { isName, type Name } from './cast.ts'
import {
  ANNA_BEN,
  ANNA_BEN_AFTER,
  ANNA_BEN_END,
  ANNA_BEN_LAST,
  PAIRS,
  REQUESTS,
} from './direct-talk.ts'
import { CLIMBING, LISBON, LISBON_AFTER, STUDIO, STUDIO_AFTER } from './group-talk.ts'
import { picture, voice } from './media.ts'
import type { Scene, Stage } from './stage.ts'

/** `two` is the chat of Anna and Ben. Its message `end` is the last that is said. */
export async function playAll(stage: Stage, two: Scene): Promise<void> {
  await playPairs(stage)
  await playCards(stage)
  await playClimbing(stage)
  await playLisbon(stage)
  const studio = await playStudio(stage)
  await playRequests(stage)
  await playTwo(stage, two)
  await changeSome(stage, { studio, two })
}

async function playPairs(stage: Stage): Promise<void> {
  const scenes = new Map<string, Scene>()
  for (const [pair, script] of Object.entries(PAIRS)) {
    const [one, other] = pair.split(' ').filter(isName)
    if (!one || !other) throw new Error(`The demo has no such two: ${pair}`)
    const scene = await stage.direct(one, other)
    await scene.play(script)
    scenes.set(pair, scene)
  }
  const chatOf = (pair: string) => scenes.get(pair)?.id ?? ''
  for (const pair of ['anna dana', 'anna hana', 'ben emil', 'ben hana', 'ben gabriel']) {
    const [one] = pair.split(' ').filter(isName)
    if (one) await scenes.get(pair)?.read(one)
  }
  const { core, cast } = stage
  await updateChat(core, cast.anna, chatOf('anna hana'), { archived: true })
  await updateChat(core, cast.ben, chatOf('ben gabriel'), { archived: true })
  await updateChat(core, cast.anna, chatOf('anna chiara'), { labels: ['Work'] })
  await updateChat(core, cast.ben, chatOf('ben chiara'), { labels: ['Work'] })
  await setDraft(core, cast.anna, chatOf('anna dana'), { body: 'Lemon it is. Is Friday ' })
  await setDraft(core, cast.ben, chatOf('ben emil'), { body: 'Thank you! About the coffee: ' })
}

/** From the site itself, which has no account of its own among people. */
async function playCards(stage: Stage): Promise<void> {
  const system = await stage.core.identity.user(SYSTEM)
  if (!system) return
  const sender = { id: system.id, username: SYSTEM, admin: true }
  const cards = [
    ['anna', 'Your parcel is on its way', 'A blue teapot. It comes tomorrow, between 9 and 12.'],
    ['ben', 'Your print is ready', 'The old harbour, 40 × 60 cm. Pick it up until Saturday.'],
  ] as const
  for (const [name, title, text] of cards) {
    const scene = await stage.direct(name, system)
    const buttons = [
      { id: 'order', label: 'See the order', url: 'https://example.org/orders/1042' },
      { id: 'help', label: 'Ask a question', url: 'https://example.org/help' },
    ]
    await scene.say(sender, { body: 'Thank you for your order!' })
    await scene.say(sender, { card: { title, text, buttons } })
    await scene.read(name)
  }
}

async function playClimbing(stage: Stage): Promise<void> {
  const { core, cast } = stage
  const scene = await stage.group(['anna', 'ben', 'farah', 'hana'], {
    title: 'Sunday climbing',
    description: 'Every other Sunday, ten o’clock, at the wall',
  })
  await scene.play(CLIMBING)
  await scene.react('car', '❤️', 'anna', 'hana')
  await scene.say('farah', {
    location: { latitude: 52.5163, longitude: 13.3777, name: 'Where I wait with the car' },
  })
  await scene.read('anna')
  await scene.read('ben')
  await updateChat(core, cast.ben, scene.id, { muted: true })
}

async function playLisbon(stage: Stage): Promise<void> {
  const { core, cast } = stage
  const scene = await stage.group(['ben', 'anna', 'dana', 'emil', 'farah', 'gabriel'], {
    title: 'Lisbon in spring',
    description: 'Four days, six people, one roof terrace',
  })
  await scene.play(LISBON)
  await scene.react('house', '🎉', 'anna', 'dana', 'emil', 'farah')
  await scene.react('house', '🏠', 'gabriel')
  await pinMessage(core, cast.ben, scene.at('house'), true)
  await scene.say('anna', {
    location: { latitude: 38.7139, longitude: -9.1335, name: 'Castle of São Jorge, Lisbon' },
  })
  await scene.play(LISBON_AFTER)
  await scene.read('ben')
  await updateChat(core, cast.anna, scene.id, { muted: true })
}

async function playStudio(stage: Stage): Promise<Scene> {
  const { core, cast } = stage
  const scene = await stage.group(
    ['chiara', 'anna', 'ben', 'dana', 'emil', 'farah', 'gabriel', 'hana'],
    { title: 'Studio', description: 'All that is not e-mail' },
  )
  await scene.play(STUDIO)
  await scene.react('museum', '👍', 'anna', 'ben', 'gabriel')
  await scene.react('museum', '🐳', 'farah', 'hana')
  await pinMessage(core, cast.chiara, scene.at('museum'), true)
  await scene.say(
    'hana',
    {
      body: 'Lunch on Wednesday, after the museum?',
      poll: { options: ['Ramen', 'Pizza', 'Dumplings', 'Soup at the corner'] },
    },
    'poll',
  )
  const votes: [Name, number][] = [
    ['dana', 1],
    ['emil', 0],
    ['gabriel', 0],
    ['farah', 3],
    ['chiara', 1],
  ]
  for (const [name, option] of votes)
    await vote(core, cast[name], scene.at('poll'), { options: [option] })
  await scene.play(STUDIO_AFTER)
  await scene.react('closed', '😢', 'gabriel')
  await updateChat(core, cast.anna, scene.id, { pinned: true, labels: ['Work'] })
  await updateChat(core, cast.ben, scene.id, { labels: ['Work'] })
  return scene
}

/** Strangers have to ask the two from here on. */
async function playRequests(stage: Stage): Promise<void> {
  for (const name of ['anna', 'ben'] as const) {
    await editSettings(stage.core, stage.cast[name], { writeFrom: 'requests' })
    const [stranger, script] = REQUESTS[name]
    await (await stage.direct(stranger, name)).play(script)
  }
}

async function playTwo(stage: Stage, scene: Scene): Promise<void> {
  const { core, cast } = stage
  await scene.play(ANNA_BEN)
  await scene.say(
    'ben',
    core.files
      ? { files: [await uploadPicture(stage)] }
      : { body: 'https://example.org/photos/river-at-dawn' },
  )
  await scene.play(ANNA_BEN_AFTER)
  await scene.say(
    'ben',
    core.files
      ? { files: [await uploadVoice(stage)] }
      : { body: 'brign both cabels and teh samll lamp' },
  )
  await scene.play(ANNA_BEN_END)
  await scene.say('ben', {
    location: { latitude: 52.5219, longitude: 13.4132, name: 'Dumplings, under the railway' },
  })
  await scene.react('lunch', '🥟', 'ben')
  await scene.react('photo', '😍', 'ben')
  await scene.react('draft', '👍', 'anna')
  await starMessage(core, cast.anna, scene.at('draft'), true)
  await updateChat(core, cast.ben, scene.id, { pinned: true })
  await scene.play(ANNA_BEN_LAST)
}

/** After the end: what is played again, after half of it was lost, must find each message as it was said. */
async function changeSome(
  { core, cast }: Stage,
  { studio, two }: { studio: Scene; two: Scene },
): Promise<void> {
  const { editMinutes, deleteMinutes } = core.settings.messages
  const body = 'See you at the door at five to one'
  if (editMinutes > 0) await editMessage(core, cast.anna, two.at('typo'), { body })
  if (deleteMinutes > 0) await deleteMessage(core, cast.chiara, studio.at('gone'))
}

async function uploadPicture(stage: Stage): Promise<FileDraft> {
  return { id: await upload(stage, 'river.png', 'image/png', picture()) }
}

async function uploadVoice(stage: Stage): Promise<FileDraft> {
  const { bytes, durationMs, waveform } = voice()
  const id = await upload(stage, 'voice.wav', 'audio/wav', bytes)
  return { id, durationMs, waveform, voice: true }
}

async function upload(
  { core, cast: { ben } }: Stage,
  name: string,
  claimed: string,
  bytes: Buffer,
): Promise<string> {
  const id = await openUpload(core, ben, { size: bytes.length, name, claimed })
  await receiveBytes(core, ben, { id, offset: 0, bytes: Readable.from([bytes]) })
  await finishUpload(core, ben, id)
  return id
}
