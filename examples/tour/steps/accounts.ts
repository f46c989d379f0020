import { createHash } from 'node:crypto'
import type { User } from '@microchatter/protocol'
import { basic, Person, signJwt } from '../people.ts'
import type { Sql } from '../place.ts'
import type { Cast, Stage } from '../scene.ts'

const ALICES = 'correct horse battery'
const CAROLS = 'a password from 2009'

/** For a server without SQL: carol, as an old site exports her. */
export const CSV = `username,password,displayName\ncarol,${md5(CAROLS)},Carol\n`

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** Users come in by REST, by their first JWT, and by SQL or a file. */
export async function bringUsersIn(stage: Stage): Promise<Cast> {
  const { place } = stage
  const admin = new Person(place.url, place.admin[0], basic(...place.admin))
  const alice = await byRest(stage, admin)
  const bob = await byJwt(stage)
  const carol = await bySql(stage, admin)
  return { ...stage, admin, alice, bob, carol }
}

async function byRest({ story, place }: Stage, admin: Person): Promise<Person> {
  story.step('A user comes in by REST: an admin registers Alice')
  const username = `alice${place.suffix}`
  const body = { username, password: ALICES, displayName: 'Alice' }
  const made = await admin.fetch<User>('POST', '/users/register', body)
  story.fits('POST /users/register answers 201', made, { status: 201 })
  story.show(made.body)
  story.fits('she is a user, active, under her name', made.body, {
    username,
    displayName: 'Alice',
    role: 'user',
    active: true,
  })
  story.fits('the same name again is 409', await admin.refused('POST', '/users/register', body), {
    status: 409,
    code: 'username_taken',
  })
  return new Person(place.url, username, basic(username, ALICES))
}

async function byJwt({ story, place }: Stage): Promise<Person> {
  story.step('A user comes in by a first JWT: the site has signed one for Bob')
  const username = `bob${place.suffix}`
  const token = signJwt(place.secret, { sub: username, name: 'Bob' })
  story.show({ Authorization: `Bearer ${token.slice(0, 40)}…` })
  const bob = new Person(place.url, username, `Bearer ${token}`)
  story.fits('GET /users/me knows him at once', await bob.ask<User>('GET', '/users/me'), {
    username,
    displayName: 'Bob',
    role: 'user',
  })
  const forged = bob.as(
    `Bearer ${signJwt('another secret of at least 32 bytes', { sub: username })}`,
  )
  story.fits('a token signed by someone else is 401', await forged.refused('GET', '/users/me'), {
    status: 401,
    code: 'bad_credentials',
  })
  return bob
}

async function bySql({ story, place }: Stage, admin: Person): Promise<Person> {
  const username = `carol${place.suffix}`
  const { sql } = place
  if (sql) {
    story.step('A user comes in by plain SQL: Carol, with the MD5 that an old site has of her')
    await insertCarol(sql, username, (text) => story.note(text))
  } else if (place.own) {
    story.step('A user comes in by a file: microchatter users import, before the start')
    story.note('(on the embedded database; with DATABASE_URL this step is plain SQL)')
    for (const line of CSV.trim().split('\n')) story.note(`  ${line}`)
  } else {
    story.step('A user comes in by REST: Carol (plain SQL is shown with --database-url)')
    await admin.ask('POST', '/users/register', { username, password: CAROLS })
  }
  const carol = new Person(place.url, username, basic(username, CAROLS))
  story.fits('the admin sees her', await admin.ask<User>('GET', `/users/${username}`), {
    username,
    active: true,
  })
  await logInFirst({ story, place }, carol)
  return carol
}

async function insertCarol(sql: Sql, username: string, note: (text: string) => void) {
  note(`INSERT INTO ${sql.schema}.users (username, password) VALUES ('${username}', md5('…'))`)
  await sql.query(`INSERT INTO ${sql.schema}.users (username, password) VALUES ($1, md5($2))`, [
    username,
    CAROLS,
  ])
}

async function logInFirst({ story, place: { sql } }: Stage, carol: Person): Promise<void> {
  const { user } = await carol.login()
  story.fits('she logs in with her old password', user, { username: carol.username })
  if (!sql) return
  const [row] = await sql.query<{ password: string }>(
    `SELECT password FROM ${sql.schema}.users WHERE username = $1`,
    [carol.username],
  )
  showUpgrade(story, row?.password ?? '')
}

export function showUpgrade(story: Stage['story'], hash: string): void {
  story.holds('that log-in has put argon2id in place of the MD5', hash.startsWith('$argon2id$'))
  story.show({ password: `${hash.slice(0, 45)}…` })
}
