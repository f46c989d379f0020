/** The arrows between the layers, as the code has them, against the table that allows them. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SERVER = 'packages/server/src/'
const PROTOCOL = 'packages/protocol/src/'
const CLIENT = 'packages/client/src/'
const WIDGET = 'packages/widget/src/'

/** Which layer may import which; a layer may always import itself. `joint` is main.ts, server.ts and their like. */
const ARROWS: Record<string, readonly string[]> = {
  protocol: [],
  // What it knows of the wire is written out from the protocol: it imports nothing of ours.
  client: [],
  widget: ['client'],
  http: ['domain', 'protocol'],
  socket: ['domain', 'protocol'],
  domain: ['store', 'blobs', 'bus', 'protocol'],
  store: ['protocol'],
  blobs: ['protocol'],
  bus: ['protocol'],
  config: ['protocol'],
  cli: ['domain', 'store', 'bus', 'config', 'joint', 'protocol'],
  joint: ['http', 'socket', 'domain', 'store', 'blobs', 'bus', 'config', 'cli', 'protocol'],
}

/** Arrows that one file has beyond its layer. */
const EXTRA: Record<string, readonly string[]> = { [`${SERVER}socket/deliver.ts`]: ['bus'] }

/** Packages that only some files may import. */
const CONFINED: readonly { package: RegExp; within: RegExp; place: string }[] = [
  { package: /^pg(-|$)/, within: /^store\/db\.ts$/, place: 'store/db.ts' },
  {
    package: /^@electric-sql\/pglite$/,
    within: /^store\/embedded-worker\.ts$/,
    place: 'store/embedded-worker.ts',
  },
  {
    package: /^bcryptjs$/,
    within: /^domain\/bcrypt-worker\.ts$/,
    place: 'domain/bcrypt-worker.ts',
  },
  {
    package: /^(fastify|@fastify\/(?!proxy-addr$).*)$/,
    within: /^(http\/|join\.ts$)/,
    place: 'http/, join.ts',
  },
  {
    package: /^(sharp|@img\/.*)$/,
    within: /^domain\/image-worker\.ts$/,
    place: 'domain/image-worker.ts',
  },
  { package: /^aws4fetch$/, within: /^blobs\/s3\.ts$/, place: 'blobs/s3.ts' },
  { package: /^@tus\//, within: /^http\/uploads\.ts$/, place: 'http/uploads.ts' },
  {
    package: /^request-filtering-agent$/,
    within: /^domain\/outside\.ts$/,
    place: 'domain/outside.ts',
  },
  {
    package: /^(socket\.io(-parser|-adapter)?|engine\.io(-parser)?|ws)$/,
    within: /^(socket\/|join\.ts$)/,
    place: 'socket/, join.ts',
  },
]

interface Import {
  /** undefined where the name is computed, so that nobody can tell. */
  name: string | undefined
  typeOnly: boolean
}

/** Path from the root of the repository → text. */
type Files = ReadonlyMap<string, string>

/** What is wrong, one line each; nothing where all is well. */
function violations(files: Files): string[] {
  const sources = [...files].map(([path, text]) => parse(path, text))
  const imports = new Map(sources.map((source) => [source.fileName, importsOf(source)]))
  return [
    ...[...imports].flatMap(([path, list]) => list.flatMap((item) => judge(path, item, files))),
    ...sources.filter((source) => layerOf(source.fileName) !== 'config').flatMap(environmentReads),
    ...cycles(runtimeGraph(imports)),
  ]
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS)
}

function every(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => every(child, visit))
}

function importsOf(source: ts.SourceFile): Import[] {
  const found: Import[] = []
  every(source, (node) => {
    if (ts.isImportDeclaration(node)) {
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      found.push({ name: literal(node.moduleSpecifier), typeOnly })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      found.push({ name: literal(node.moduleSpecifier), typeOnly: node.isTypeOnly })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push({ name: literal(node.arguments[0]), typeOnly: false })
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push({ name: literal(node.argument.literal), typeOnly: true })
    }
  })
  return found
}

function literal(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined
}

function layerOf(path: string): string {
  if (path.startsWith(PROTOCOL)) return 'protocol'
  if (path.startsWith(CLIENT)) return 'client'
  if (path.startsWith(WIDGET)) return 'widget'
  const [first = '', ...rest] = path.slice(SERVER.length).split('/')
  if (rest.length > 0) return first
  return first.startsWith('config') ? 'config' : 'joint'
}

function judge(path: string, { name }: Import, files: Files): string[] {
  if (name === undefined) return [`${path} imports a computed name, which this test cannot follow`]
  const target = resolve(path, name)
  if (target === undefined) return judgePackage(path, name)
  if (target.endsWith('.ts') && target !== PROTOCOL && !files.has(target)) {
    return [`${path} imports ${name}, which is not among the sources`]
  }
  return target.endsWith('.json') ? [] : judgeArrow(path, target)
}

/** The file that a relative name means, the folder of the protocol for its package, undefined for other packages. */
function resolve(path: string, name: string): string | undefined {
  if (name === '@microchatter/protocol') return PROTOCOL
  if (name === '@microchatter/client') return `${CLIENT}index.ts`
  return name.startsWith('.') ? posix.join(posix.dirname(path), name) : undefined
}

function judgeArrow(path: string, target: string): string[] {
  const from = layerOf(path)
  const to = layerOf(target)
  const allowed = ARROWS[from]
  if (!allowed) return [`${path} lies in ${from}/, which has no row in the table of layers`]
  if (from === to || allowed.includes(to) || EXTRA[path]?.includes(to)) return []
  return [`${path} imports ${target}: ${from} may not import ${to}`]
}

function judgePackage(path: string, name: string): string[] {
  const inside = path.startsWith(SERVER) ? path.slice(SERVER.length) : path
  return CONFINED.filter((rule) => rule.package.test(name) && !rule.within.test(inside)).map(
    ({ place }) => `${path} imports ${name}: only ${place} may`,
  )
}

/** `process.env` in any spelling: a property, an element, taken apart, or imported. */
function environmentReads(source: ts.SourceFile): string[] {
  const found: string[] = []
  every(source, (node) => {
    const read =
      (ts.isPropertyAccessExpression(node) && isProcess(node.expression) && named(node.name)) ||
      (ts.isElementAccessExpression(node) &&
        isProcess(node.expression) &&
        literal(node.argumentExpression) === 'env') ||
      (ts.isBindingElement(node) &&
        named(node.propertyName ?? node.name) &&
        ts.isVariableDeclaration(node.parent.parent) &&
        isProcess(node.parent.parent.initializer)) ||
      (ts.isImportSpecifier(node) &&
        named(node.propertyName ?? node.name) &&
        /^(node:)?process$/.test(literal(node.parent.parent.parent.moduleSpecifier) ?? ''))
    if (!read) return
    const { line } = source.getLineAndCharacterOfPosition(node.getStart())
    found.push(`${source.fileName}:${line + 1} reads process.env: only config.ts may`)
  })
  return found
}

function isProcess(node: ts.Node | undefined): boolean {
  return node !== undefined && /^(globalThis\.)?process$/.test(node.getText())
}

function named(node: ts.Node): boolean {
  return node.getText() === 'env'
}

function runtimeGraph(imports: ReadonlyMap<string, Import[]>): Map<string, string[]> {
  return new Map(
    [...imports].map(([path, list]) => [
      path,
      list.flatMap(({ name, typeOnly }) => (name && !typeOnly && resolve(path, name)) || []),
    ]),
  )
}

/** Depth first; each cycle is told once, from the file where it was entered. */
function cycles(graph: ReadonlyMap<string, string[]>): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const walk = (path: string, trail: string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) found.push(`import cycle: ${[...trail.slice(start), path].join(' → ')}`)
    if (start >= 0 || done.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return found
}

function readSources(): Files {
  const paths = [SERVER, PROTOCOL, CLIENT, WIDGET].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => folder + name.replaceAll('\\', '/')),
  )
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))
}

/** Paths from src/ of the server. */
function made(files: Record<string, string>): string[] {
  return violations(new Map(Object.entries(files).map(([path, text]) => [SERVER + path, text])))
}

test('the sources keep to the table of layers, to config.ts for the environment, and have no cycle', () => {
  const files = readSources()
  assert.ok(files.has(`${SERVER}store/db.ts`) && files.has(`${PROTOCOL}index.ts`))
  assert.deepEqual(violations(files), [])
})

const empty = { 'store/a.ts': '', 'domain/a.ts': '', 'bus/a.ts': '', 'http/a.ts': '' }
const refused: Record<string, Record<string, string>> = {
  'http to store': { 'http/b.ts': "import { a } from '../store/a.ts'" },
  'http to store, a type': { 'http/b.ts': "import type { A } from '../store/a.ts'" },
  'http to store, in a type': { 'http/b.ts': "export type A = import('../store/a.ts').A" },
  'http to store, exported on': { 'http/b.ts': "export * from '../store/a.ts'" },
  'http to store, dynamic': { 'http/b.ts': "void import('../store/a.ts')" },
  'a computed name': { 'http/b.ts': 'export const b = (name: string) => import(name)' },
  'domain to http': { 'domain/b.ts': "import { a } from '../http/a.ts'" },
  'store to domain': { 'store/b.ts': "import { a } from '../domain/a.ts'" },
  'socket to bus': { 'socket/table.ts': "import { a } from '../bus/a.ts'" },
  'cli to http': { 'cli/b.ts': "import { a } from '../http/a.ts'" },
  'config to domain': { 'config.ts': "import { a } from './domain/a.ts'" },
  'domain to config': { 'config.ts': '', 'domain/b.ts': "import { a } from '../config.ts'" },
  'a folder without a row': { 'other/b.ts': "import { a } from '../domain/a.ts'" },
  'the driver outside db.ts': { 'store/b.ts': "import pg from 'pg'" },
  'the engine outside its worker': { 'store/b.ts': "import('@electric-sql/pglite')" },
  'fastify in the domain': { 'domain/b.ts': "import type { X } from 'fastify'" },
  'a plugin of fastify in the socket': { 'socket/b.ts': "import cors from '@fastify/cors'" },
  'socket.io in the domain': { 'domain/b.ts': "import { Server } from 'socket.io'" },
  'process.env': { 'domain/b.ts': 'export const b = process.env.B' },
  "process['env']": { 'server.ts': "export const b = process['env'].B" },
  'env taken out of process': { 'domain/b.ts': 'const { env } = process' },
  'env imported': { 'domain/b.ts': "import { env as e } from 'node:process'" },
  'a file that is not there': { 'domain/b.ts': "import { a } from './away.ts'" },
  'a cycle': {
    'domain/b.ts': "import { c } from './c.ts'",
    'domain/c.ts': "import { b } from './d.ts'",
    'domain/d.ts': "export { b } from './b.ts'",
  },
}
for (const [name, files] of Object.entries(refused)) {
  test(`the check refuses: ${name}`, () => {
    assert.equal(made({ ...empty, ...files }).length, 1)
  })
}

test('the check refuses what the protocol takes from the server', () => {
  const files = new Map([
    [`${PROTOCOL}a.ts`, "import { a } from '../../server/src/domain/a.ts'"],
    [`${SERVER}domain/a.ts`, ''],
  ])
  assert.deepEqual(violations(files), [
    `${PROTOCOL}a.ts imports ${SERVER}domain/a.ts: protocol may not import domain`,
  ])
})

test('the check lets pass what the table allows', () => {
  const files = {
    ...empty,
    'http/b.ts': "import { a } from '../domain/a.ts'\nimport fastify from 'fastify'",
    'socket/deliver.ts': "import { a } from '../bus/a.ts'\nimport { Server } from 'socket.io'",
    'domain/b.ts': "import { a } from '../store/a.ts'\nimport type { C } from './c.ts'",
    'domain/c.ts': "import { b } from './b.ts'\nimport { ERRORS } from '@microchatter/protocol'",
    'store/db.ts': "import pg from 'pg'\n// process.env stays in config.ts\n",
    'config.ts':
      "import defaults from '../config/defaults.json' with { type: 'json' }\nprocess.env",
    'config/read.ts': 'export const { env } = process',
    'cli/b.ts': "import { start } from '../server.ts'\nimport { a } from '../store/a.ts'",
    'server.ts': "export const start = () => import('./join.ts')",
    'join.ts': "import { a } from './http/a.ts'\nimport { Server } from 'socket.io'",
  }
  assert.deepEqual(made(files), [])
})

test('each prepared statement has a name of its own', () => {
  // Two texts of one name would be taken for each other by whichever connection has the first.
  const folder = fileURLToPath(new URL('../src/store/', import.meta.url))
  const names = readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    return Array.from(text.matchAll(/^\s+'([a-z]+(?:_[a-z]+)+)',\n\s+\)/gm), ([, name]) => name)
  })
  assert.ok(names.length > 25)
  assert.deepEqual(names, [...new Set(names)])
})
