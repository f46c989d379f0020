/** What the documents say, against the code: names, defaults, codes, rules, links, and the example of the README. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as protocol from '@microchatter/protocol'
import type { Chat, Message } from '@microchatter/protocol'
import { SETTINGS } from '../src/config/schema.ts'
import { ROUTES } from '../src/http/routes.ts'
import { CALL_WORDS, EVENT_WORDS } from '../src/http/socket-words.ts'
import { newName, SECRET, startServer } from './support/server.ts'

const { CALLS, CLOSE_REASONS, ERRORS, EVENTS } = protocol
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...markdownIn('docs'),
  ...markdownIn('examples'),
  ...['client', 'react', 'widget'].map((name) => `packages/${name}/README.md`),
]

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
}

const texts = new Map(DOCUMENTS.map((path) => [path, read(path)]))
const rules = text('docs/protocol.md')

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

function text(path: string): string {
  const found = texts.get(path)
  assert.ok(found, `${path} is missing`)
  return found
}

/** The cells of the first table under a heading, without its head. */
function tableUnder(content: string, heading: string): string[][] {
  const lines = content.split('\n')
  const from = lines.findIndex((line) => line.replace(/^#+ /, '') === heading)
  assert.ok(from >= 0, `there is no heading "${heading}"`)
  const first = lines.findIndex((line, index) => index > from && line.startsWith('|'))
  const after = lines.findIndex((line, index) => index > first && !line.startsWith('|'))
  return lines.slice(first + 2, after < 0 ? undefined : after).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

function bare(cell = ''): string {
  return cell.replaceAll('`', '')
}

interface ObjectSchema {
  properties?: Record<string, unknown>
  required?: string[]
}

/** `{ chatId, title? }` */
function shapeOf(schema: unknown): string {
  const { properties = {}, required = [] } = schema as ObjectSchema
  const fields = Object.keys(properties).map((name) =>
    required.includes(name) ? name : `${name}?`,
  )
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

/** A cell that links to an object of the protocol means its shape. */
function shapeIn(cell = ''): string {
  const [, name] = /^\[(\w+)\]\(#objects\)$/.exec(cell) ?? []
  return name === undefined ? bare(cell) : shapeOf(protocol[name as 'Message'])
}

test('docs/protocol.md has every error with its status and title, and no other', () => {
  assert.deepEqual(
    tableUnder(rules, 'Errors').map(([code, status, title]) => [bare(code), Number(status), title]),
    Object.entries(ERRORS).map(([code, { status, title }]) => [code, status, title]),
  )
})

test('docs/protocol.md has every event and call with its fields, and no other', () => {
  assert.deepEqual(
    tableUnder(rules, 'Events').map(([name, fields]) => [bare(name), shapeIn(fields)]),
    Object.entries(EVENTS).map(([name, schema]) => [name, shapeOf(schema)]),
  )
  assert.deepEqual(
    tableUnder(rules, 'Calls').map(([name, body, answer]) => [name, body, answer].map(bare)),
    Object.entries(CALLS).map(([name, { request, answer }]) => [
      name,
      shapeOf(request),
      shapeOf(answer),
    ]),
  )
})

test('/docs says of events and calls what docs/protocol.md says', () => {
  const words = (table: string, column: number) =>
    Object.fromEntries(tableUnder(rules, table).map((row) => [bare(row[0]), row[column]]))
  assert.deepEqual(EVENT_WORDS, words('Events', 2))
  assert.deepEqual(CALL_WORDS, words('Calls', 3))
})

test('docs/protocol.md has every close reason, and no other', () => {
  assert.deepEqual(
    tableUnder(rules, 'Close reasons').map(([reason]) => bare(reason)),
    [...CLOSE_REASONS],
  )
})

test('docs/protocol.md has every field of the objects that it shows', () => {
  const shown = tableUnder(rules, 'Objects')
  assert.ok(shown.length > 10)
  for (const [name, fields] of shown)
    assert.equal(bare(fields), shapeOf(protocol[name as 'Message']), name)
})

test('docs/protocol.md has every route with its words and statuses, and no other', () => {
  const who = { user: 'users', admin: 'admins', public: 'anyone', link: 'a link' }
  assert.deepEqual(
    tableUnder(rules, 'REST').map(([address, access, what, answers]) => [
      bare(address),
      access,
      what,
      answers?.match(/\d{3}/g)?.map(Number),
    ]),
    ROUTES.map(({ method, path, access, summary, answers }) => [
      `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
      who[access],
      summary,
      Object.keys(answers).map(Number),
    ]),
  )
})

const RULE =
  /\b(?:SEND|READ|SYNC|MERGE|SOCK|AUTH|CHAT|GROUP|MSG|EDIT|REACT|CHANGE|PRIV|MAIL|PRES|TYPE|RECEIPT|TIME|CARD|SEARCH|FILE|PREVIEW|ERR|LIMIT)-\d+\b/g
const defined = Array.from(rules.matchAll(/^- \*\*([A-Z]+-\d+)\*\* /gm), ([, rule = '']) => rule)

test('rules are numbered from 1 in each kind, without gap or repeat', () => {
  assert.ok(defined.length > 40)
  const last = new Map<string, number>()
  for (const rule of defined) {
    const [kind = '', number] = rule.split('-')
    assert.equal(Number(number), (last.get(kind) ?? 0) + 1, rule)
    last.set(kind, Number(number))
  }
})

test('every rule that a test, the code or a document cites is in docs/protocol.md', (t) => {
  const tests = sources('packages', '/test/')
  const cited = [...tests, ...sources('packages', '/src/'), ...sources('examples', '')]
  const unknown = [...cited.map((path) => [path, read(path)] as const), ...texts].flatMap(
    ([path, content]) =>
      Array.from(content.matchAll(RULE), ([rule]) => rule)
        .filter((rule) => !defined.includes(rule))
        .map((rule) => `${path} cites ${rule}`),
  )
  assert.deepEqual(unknown, [])
  const named = new Set(tests.flatMap((path) => rulesOfTests(read(path))))
  const open = defined.filter((rule) => !named.has(rule))
  t.diagnostic(`rules without a test of their name: ${open.join(', ') || 'none'}`)
})

function sources(folder: string, within: string): string[] {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && path.includes(within))
    .filter((path) => !path.includes('/node_modules/') && !path.includes('/dist/'))
}

/** `test('[SEND-2] [SEND-3] …'` */
function rulesOfTests(content: string): string[] {
  return Array.from(
    content.matchAll(/\b(?:test|it|describe)\(\s*['"`]((?:\[[A-Z]+-\d+\]\s*)+)/g),
    ([, names = '']) => names.match(RULE) ?? [],
  ).flat()
}

test('docs/operations.md has every setting with its names and default, and no other', () => {
  const defaults: unknown = JSON.parse(read('packages/server/config/default.json'))
  const at = (path: string) =>
    path
      .split('.')
      .reduce((inner: unknown, key) => (inner as Record<string, unknown>)[key], defaults)
  const shown = (value: unknown) => {
    const empty = value === '' || (Array.isArray(value) && value.length === 0)
    return empty ? '–' : `\`${String(value)}\``
  }
  assert.deepEqual(
    tableUnder(text('docs/operations.md'), 'All settings').map(([names, value]) => [names, value]),
    SETTINGS.map(({ path, variables }) => [
      variables.map((name) => `\`${name}\``).join(', '),
      shown(at(path)),
    ]),
  )
})

test('no document names a setting that does not exist', () => {
  const known = new Set([
    'MICROCHATTER_CONFIG_DIR',
    ...SETTINGS.flatMap(({ variables }) => variables),
    // Of compose, and of the tests.
    'MICROCHATTER_DB_PASSWORD',
    'MICROCHATTER_TEST_DATABASE_URL',
    'MICROCHATTER_TEST_SEED',
    'MICROCHATTER_TEST_RUNS',
  ])
  for (const [path, content] of texts)
    for (const [name] of content.matchAll(/\bMICROCHATTER_[A-Z_]+\b/g))
      assert.ok(known.has(name), `${path} names ${name}`)
})

test('docs/operations.md has every command, and the code that stops the restarts', () => {
  const operations = text('docs/operations.md')
  const main = read('packages/server/src/main.ts')
  const commands = Array.from(main.matchAll(/\.command\('(\w+)'/g), ([, name = '']) => name)
  assert.ok(commands.length > 5)
  const table = tableUnder(operations, 'Commands').map(([cell]) => bare(cell))
  for (const command of commands)
    assert.ok(
      table.some((cell) => new RegExp(`^microchatter\\b.*\\b${command}\\b`).test(cell)),
      `the command ${command} is not in the table`,
    )
  const [, code = ''] = /EXIT_CONFIG = (\d+)/.exec(main) ?? []
  assert.ok(tableUnder(operations, 'Exit codes').some(([shown]) => shown === code))
  assert.match(
    read('deploy/microchatter.service'),
    new RegExp(`^RestartPreventExitStatus=${code}$`, 'm'),
  )
})

test('files, scripts and folders that the documents name are there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const [path, content] of texts) {
    for (const [, name = ''] of content.matchAll(/npm run ([\w:]+)/g))
      assert.ok(name in scripts, `${path} names npm run ${name}`)
    for (const [, name = ''] of content.matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|json|sql|md))`/g))
      assert.ok(
        ['', 'packages/server/src', 'packages/server', 'packages/widget/src', 'deploy'].some(
          (folder) => existsSync(join(ROOT, folder, name)),
        ),
        `${path} names ${name}`,
      )
  }
})

test('every link within the repository leads somewhere', () => {
  const broken = [...texts].flatMap(([path, content]) =>
    Array.from(content.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(path, target))
      .map((target) => `${path}: ${target}`),
  )
  assert.deepEqual(broken, [])
})

function leadsSomewhere(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? from : relative(ROOT, join(ROOT, dirname(from), file))
  if (!existsSync(join(ROOT, path))) return false
  if (anchor === undefined) return true
  const isFolder = statSync(join(ROOT, path)).isDirectory()
  return anchorsOf(read(isFolder ? join(path, 'README.md') : path)).includes(anchor)
}

/** As the hosts of repositories make them of headings. */
function anchorsOf(content: string): string[] {
  return Array.from(content.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

test('SECURITY.md names every package with an install script', () => {
  const { installScripts } = JSON.parse(read('security/floors.json')) as {
    installScripts: Record<string, string>
  }
  for (const name of Object.keys(installScripts))
    assert.ok(text('SECURITY.md').includes(`\`${name}\``), name)
})

test('README.md is short, and the license is the one of the packages', () => {
  assert.ok(text('README.md').split('\n').length <= 151)
  assert.match(read('LICENSE'), /^MIT License\n\nCopyright \(c\) 2026 The Microchatter authors\n/)
  for (const folder of ['', 'packages/server/', 'packages/protocol/'])
    assert.equal(JSON.parse(read(`${folder}package.json`)).license, 'MIT')
})

/** A fenced block by the words after its three backticks. */
function codeBlock(content: string, info: string): string {
  const [, code] = content.split(`\n\`\`\`${info}\n`)
  assert.ok(code, `there is no block "${info}"`)
  return code.split('\n```')[0] ?? ''
}

interface BackEnd {
  chatToken(user: { username: string; name: string }): Promise<string>
}
interface Page {
  openMailbox(
    url: string,
    getToken: () => Promise<string>,
    show: { onChats: (chats: Chat[]) => void; onMessage: (message: Message) => void },
  ): { send(username: string, body: string, clientId?: string): Promise<Message>; close(): void }
}

test('the examples of README.md and of a page without a library run as they are printed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'microchatter-readme-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction')
  const load = async <T>(document: string, info: string): Promise<T> => {
    const file = join(folder, `${info.replace(' ', '-')}.mjs`)
    await writeFile(file, codeBlock(text(document), info))
    return (await import(pathToFileURL(file).href)) as T
  }
  process.env.MICROCHATTER_JWT_SECRET = SECRET
  t.after(() => delete process.env.MICROCHATTER_JWT_SECRET)
  const { chatToken } = await load<BackEnd>('README.md', 'js back-end')
  const { openMailbox } = await load<Page>('docs/guide/own-interface.md', 'js page')
  const server = await startServer('embedded')
  const mailboxes: ReturnType<Page['openMailbox']>[] = []
  t.after(async () => {
    for (const mailbox of mailboxes) mailbox.close()
    await server.close()
  })

  const [ann, bob] = [newName('ann'), newName('bob')]
  const open = (username: string) => {
    const lists: Chat[][] = []
    const messages: Message[] = []
    const mailbox = openMailbox(server.url, () => chatToken({ username, name: 'Some One' }), {
      onChats: (chats) => lists.push(chats),
      onMessage: (message) => messages.push(message),
    })
    mailboxes.push(mailbox)
    return { ...mailbox, lists, messages }
  }
  const bobs = open(bob)
  await until(() => bobs.lists.length === 1)
  assert.deepEqual(bobs.lists, [[]])
  const anns = open(ann)
  await until(() => anns.lists.length === 1)
  const clientId = crypto.randomUUID()
  const sent = await anns.send(bob, 'hello', clientId)
  assert.deepEqual([sent.seq, sent.sender, sent.body], [1, ann, 'hello'])
  assert.deepEqual(await anns.send(bob, 'hello', clientId), sent)
  await bobs.send(ann, 'hello yourself')
  await until(() => anns.messages.length === 2 && bobs.messages.length === 2)
  assert.deepEqual(bobs.messages[0], sent)
  assert.deepEqual(anns.messages[1]?.body, 'hello yourself')
  await assert.rejects(anns.send(newName('nobody'), 'hello'), /There is no such user/)
  const later = open(bob)
  await until(() => later.lists.length === 1)
  assert.deepEqual(
    later.lists[0]?.map(({ lastMessage, unread }) => [lastMessage?.body, unread]),
    [['hello yourself', 0]],
  )
  // Logged out everywhere, and so with a token from before, it comes back with a new one.
  const authorization = `Bearer ${await chatToken({ username: bob, name: 'Some One' })}`
  const init = { method: 'DELETE', headers: { authorization } }
  assert.equal((await fetch(`${server.url}/users/me/sessions`, init)).status, 204)
  await until(() => later.lists.length === 2)
})

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5_000
  while (!holds()) {
    assert.ok(Date.now() < end, 'it did not come within 5 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
