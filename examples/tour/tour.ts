/** Every feature of Microchatter, live, in one run: `npm run tour`. USAGE says more. */
import { PGlite } from '@electric-sql/pglite'
import { join } from 'node:path'
import { type Options, readOptions, USAGE } from './options.ts'
import { basic, Person } from './people.ts'
import { givenPlace, type Place, startPlace } from './place.ts'
import type { Cast, Scene } from './scene.ts'
import { bringUsersIn, CSV, showUpgrade } from './steps/accounts.ts'
import { administer } from './steps/administration.ts'
import { pressButton } from './steps/cards.ts'
import { arrive, disappear, remind, schedule } from './steps/clock.ts'
import { comeBack, refresh, revoke } from './steps/comeback.ts'
import { showErrors } from './steps/errors.ts'
import { sendFile } from './steps/files.ts'
import {
  giveRights,
  handOver,
  joinByLink,
  joinOpenGroup,
  makeGroup,
  mentionAll,
  slowDown,
} from './steps/groups.ts'
import { listChats, readAndUnread, readHistory } from './steps/lists.ts'
import { answerRequests, keepDraft, labelAndReadAll, search } from './steps/mailbox.ts'
import { edit, keep, react, vote } from './steps/messages.ts'
import { showLastSeen, showPresence, showReceipts, stopTyping } from './steps/presence.ts'
import { sendBySocket, sendFirst, sendMany } from './steps/sending.ts'
import { logIn } from './steps/sessions.ts'
import { archive, block, deleteForMe, muteAndPin, showTyping } from './steps/settings.ts'
import { Story } from './story.ts'

async function tell(cast: Cast): Promise<void> {
  const scene = await sendFirst(await logIn(cast))
  await tellOfChats(scene)
  await tellOfMessages(scene)
  const planned = await schedule(scene)
  await answerRequests(scene)
  await keepDraft(scene)
  await labelAndReadAll(scene)
  await search(scene)
  await sendFile(scene)
  await tellOfGroups(scene)
  await showReceipts(scene)
  await stopTyping(scene)
  await showLastSeen(scene)
  await arrive(scene, planned)
  await remind(scene)
  await disappear(scene)
  const back = await comeBack(scene)
  await refresh(back)
  await showErrors(back)
  await revoke(back)
  await administer(back)
}

async function tellOfChats(scene: Scene): Promise<void> {
  await sendBySocket(scene)
  const others = await listChats(scene)
  await readAndUnread(scene)
  await showTyping(scene)
  await readHistory(scene)
  await muteAndPin(scene, others)
  await archive(scene, others)
  await deleteForMe(scene)
  await block(scene)
}

async function tellOfMessages(scene: Scene): Promise<void> {
  const { seq } = await edit(scene)
  await react(scene, seq)
  await keep(scene, seq)
  await vote(scene)
  await pressButton(scene)
  await sendMany(scene)
}

/** At the end Carol has gone. */
async function tellOfGroups(scene: Scene): Promise<void> {
  const group = await makeGroup(scene)
  await giveRights(group)
  await mentionAll(group)
  await slowDown(group)
  await joinByLink(group)
  await joinOpenGroup(group)
  await handOver(group)
  await showPresence(scene, group.carols)
}

/** With the server stopped, its embedded database can be opened: what is left of Carol's MD5? */
async function lookInside(story: Story, dataDir: string): Promise<void> {
  story.step('The server is stopped: a look at what it has stored')
  const db = await PGlite.create(join(dataDir, 'pglite'))
  const text = "SELECT password FROM microchatter.users WHERE username = 'carol'"
  try {
    const { rows } = await db.query<{ password: string }>(text)
    showUpgrade(story, rows[0]?.password ?? '')
  } finally {
    await db.close()
  }
}

async function openPlace(options: Options): Promise<Place> {
  if (options.given) return givenPlace(options)
  return startPlace(options, options.databaseUrl === undefined ? CSV : '')
}

/** Of a server that goes on without the tour. */
async function removeUsers({ own, url, admin, suffix }: Place): Promise<void> {
  if (own) return
  const person = new Person(url, admin[0], basic(...admin))
  for (const name of ['alice', 'bob', 'carol', 'erin', 'frank', 'grace'])
    await person.fetch('DELETE', `/users/${name}${suffix}`).catch(() => undefined)
}

async function run(options: Options, story: Story): Promise<void> {
  const place = await openPlace(options)
  process.stdout.write(`Microchatter at ${place.url}, ${databaseOf(place)}\n`)
  try {
    await tell(await bringUsersIn({ story, place }))
    await place.stop()
    if (place.dataDir !== undefined) await lookInside(story, place.dataDir)
  } finally {
    await removeUsers(place)
    await place.stop()
    await place.remove()
  }
}

function databaseOf({ own, sql, dataDir }: Place): string {
  if (dataDir !== undefined) return 'started for this tour on the embedded database'
  if (!own) return 'which runs already'
  return `started for this tour on PostgreSQL, schema ${sql?.schema}`
}

async function main(): Promise<number> {
  const story = new Story()
  try {
    const options = readOptions()
    if (options === 'help') process.stdout.write(USAGE)
    else {
      await run(options, story)
      process.stdout.write(`\n${story.checks} checks, all as expected\n`)
    }
    return 0
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    process.stderr.write(`\n✗ ${story.at}: ${text}\n`)
    return 1
  }
}

// Explicitly: a socket that a failed step has left open would keep the process.
process.exit(await main())
