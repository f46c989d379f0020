/** What is installed, as package-lock.json has it, against security/floors.json. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

interface Locked {
  version?: string
  resolved?: string
  integrity?: string
  link?: boolean
  dev?: boolean
  os?: string[]
  cpu?: string[]
  hasInstallScript?: boolean
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}
interface Manifest {
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}
interface Policy {
  floors: Record<string, { floor: string; because: string }>
  /** Name → why. */
  banned: Record<string, string>
  /** Development packages that may have an install script, and why they work without it. */
  installScripts: Record<string, string>
  /** How many packages a server has at most, native binaries and type declarations aside. */
  runtimePackages: number
}

const ROOT = new URL('../../../', import.meta.url)
const policy = read<Policy>('security/floors.json')
const lock = read<{ packages: Record<string, Locked> }>('package-lock.json').packages
const installed = Object.entries(lock)
  .filter(([path, entry]) => path.includes('node_modules/') && !entry.link)
  .map(([path, entry]) => ({ path, name: path.replace(/^.*node_modules\//, ''), ...entry }))

function read<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, ROOT), 'utf8')) as T
}

/** A pre-release comes before its release, so it does not reach a floor of the same number. */
function isAtLeast(version: string, floor: string): boolean {
  const [numbers = '', prerelease] = version.split('+')[0]?.split(/-(.*)/) ?? []
  const ours = numbers.split('.').map(Number)
  const least = floor.split('.').map(Number)
  const at = least.findIndex((part, index) => part !== ours[index])
  if (at < 0) return prerelease === undefined
  return (ours[at] ?? 0) > (least[at] ?? 0)
}

function isDeclarations(name: string): boolean {
  return name.startsWith('@types/') || name === 'undici-types'
}

test('the comparison of versions', () => {
  for (const version of ['4.2.7', '4.2.10', '4.10.0', '10.0.0', '4.2.8-rc.1', '4.2.7+1']) {
    assert.ok(isAtLeast(version, '4.2.7'), version)
  }
  for (const version of ['4.2.6', '4.1.9', '3.9.9', '4.2.7-rc.1', '']) {
    assert.ok(!isAtLeast(version, '4.2.7'), version)
  }
})

for (const [name, { floor, because }] of Object.entries(policy.floors)) {
  test(`every copy of ${name} is ${floor} or newer`, () => {
    const copies = installed.filter((entry) => entry.name === name)
    assert.notEqual(copies.length, 0, `${name} is not installed: remove its floor`)
    for (const { path, version = '' } of copies) {
      assert.ok(isAtLeast(version, floor), `${path} is ${version}; ${because}`)
    }
  })
}

test('no banned package is installed', () => {
  const found = installed.filter(({ name }) => name in policy.banned)
  assert.deepEqual(
    found.map(({ path, name }) => `${path}: ${policy.banned[name]}`),
    [],
  )
})

test('every direct dependency is pinned to one version', () => {
  const folders = readdirSync(new URL('packages/', ROOT)).map((name) => `packages/${name}/`)
  const loose = ['', ...folders].flatMap((folder) => {
    const { dependencies, devDependencies } = read<Manifest>(`${folder}package.json`)
    return Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
      .map(([name, version]) => `${folder}package.json: ${name} ${version}`)
  })
  assert.deepEqual(loose, [])
})

// A lock may leave the addresses out; then every package comes from the configured registry.
test('every package comes from one registry, with its hash', () => {
  const addresses = installed.flatMap(({ resolved }) => (resolved ? [new URL(resolved)] : []))
  assert.deepEqual(addresses.filter(({ protocol }) => protocol !== 'https:').map(String), [])
  assert.ok(new Set(addresses.map(({ host }) => host)).size <= 1)
  const bare = installed.filter(({ integrity }) => !integrity?.startsWith('sha512-'))
  assert.deepEqual(
    bare.map(({ path }) => path),
    [],
  )
})

test('only listed packages for development have an install script', () => {
  const scripted = installed.filter(({ hasInstallScript }) => hasInstallScript)
  const names = new Set(scripted.map(({ name }) => name))
  assert.deepEqual([...names].sort(), Object.keys(policy.installScripts).sort())
  assert.deepEqual(
    scripted.filter(({ dev }) => !dev).map(({ path }) => path),
    [],
  )
})

// npm leaves out the other platforms when it adds a package to a lock beside an installed tree.
test('the native binaries of every platform are locked', () => {
  const names = new Set(installed.map(({ name }) => name))
  const missing = installed.flatMap(({ path, optionalDependencies = {} }) =>
    Object.keys(optionalDependencies)
      .filter((name) => !names.has(name))
      .map((name) => `${path} lacks ${name}`),
  )
  assert.deepEqual(missing, [])
})

/** What is installed with this package, as the lock has it: paths. */
function closureOf(folder: string): Set<string> {
  const found = new Set<string>()
  const walk = (path: string) => {
    const { dependencies, optionalDependencies } = lock[path] ?? {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = placeOf(path, name)
      if (at === undefined || found.has(at)) continue
      found.add(at)
      walk(at)
    }
  }
  walk(folder)
  return found
}

/** The nearest one, from the inside out. */
function placeOf(path: string, name: string): string | undefined {
  for (let at = path; ; at = at.replace(/(^|\/)[^/]+$/, '')) {
    const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (lock[place]) return place
    if (at === '') return undefined
  }
}

test('a server has no more packages than its budget', (t) => {
  // Type declarations are installed with the packages that name them, but hold no code that runs.
  const needed = closureOf('packages/server')
  assert(needed.size > 50)
  const runtime = installed.filter(
    ({ path, name, os, cpu }) => needed.has(path) && !os && !cpu && !isDeclarations(name),
  )
  t.diagnostic(`${runtime.length} packages of ${policy.runtimePackages}`)
  assert.ok(
    runtime.length <= policy.runtimePackages,
    `${runtime.length} packages, the budget is ${policy.runtimePackages}: do without one, or argue for a larger budget in security/floors.json`,
  )
})

test('what the budget leaves out as type declarations holds no code', () => {
  const folders = installed.filter(({ name, dev }) => !dev && isDeclarations(name))
  assert.notEqual(folders.length, 0, 'no type declarations are installed: count all packages')
  const code = folders.flatMap(({ path }) =>
    readdirSync(new URL(path, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.([cm]?js|node|wasm)$/.test(name))
      .map((name) => `${path}/${name}`),
  )
  assert.deepEqual(code, [])
})
