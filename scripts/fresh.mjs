/** Whether what was built is newer than what it is made of. It imports nothing but Node's own modules. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** `sources`: files and folders; those that are not there count for nothing. */
export function isFresh(outputs, sources) {
  if (!outputs.every((path) => existsSync(path))) return false
  const oldest = Math.min(...outputs.map((path) => statSync(path).mtimeMs))
  return sources.flatMap(withContents).every((path) => statSync(path).mtimeMs <= oldest)
}

/** Folders are listed too: their date tells of a file that was removed. */
function withContents(path) {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return [path, ...readdirSync(path, { recursive: true }).map((name) => join(path, name))]
}
