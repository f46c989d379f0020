/** `npm start`: from a fresh clone to a running server, in one command. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, install, requireNode } from './prepare.mjs'
import { endWith, root, unwatchSignals, watchSignals } from './run.mjs'

async function prepare() {
  requireNode()
  watchSignals()
  await install()
  await build()
  unwatchSignals()
  return true
}

if (await prepare().catch(endWith)) {
  const main = join(root, 'packages/server/dist/main.js')
  // The server takes over this process: signals and the exit code are its own, with no one between.
  process.argv = [process.execPath, main, 'start', ...process.argv.slice(2)]
  await import(pathToFileURL(main).href)
}
