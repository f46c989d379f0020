/** The programs that some tests need: a PostgreSQL, a Redis, a browser. */
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const DEBIAN_POSTGRES = '/usr/lib/postgresql'
const REDIS = ['redis-server', 'valkey-server']
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MAC_BROWSERS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The folder with `initdb` and `postgres`, the newest first; undefined where there is none. */
export function findPostgres() {
  return [...debianFolders(), ...searchPath()].find(
    (folder) => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'postgres')),
  )
}

export function findRedis() {
  return findProgram(REDIS)
}

export function findChromium() {
  return findProgram(BROWSERS) ?? MAC_BROWSERS.find(isProgram)
}

function findProgram(names) {
  return names.flatMap((name) => searchPath().map((folder) => join(folder, name))).find(isProgram)
}

function searchPath() {
  return (process.env.PATH ?? '').split(delimiter).filter(Boolean)
}

function debianFolders() {
  try {
    const versions = readdirSync(DEBIAN_POSTGRES).map(Number).filter(Number.isFinite)
    return versions.sort((a, b) => b - a).map((v) => join(DEBIAN_POSTGRES, String(v), 'bin'))
  } catch {
    return []
  }
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
