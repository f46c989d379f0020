/**
 * Part of the server's build: the widget, which the server gives to pages as /widget.js, is put beside
 * it. What it is made of is built first, where it is missing or older than its sources.
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFresh } from './fresh.mjs'
import { endWith, Failure, npm, root } from './run.mjs'

const packages = join(root, 'packages')
const client = { name: 'client', output: 'index.js', madeOf: [] }
const widget = { name: 'widget', output: 'widget.js', madeOf: [outputOf(client)] }

function outputOf({ name, output }) {
  return join(packages, name, 'dist', output)
}

async function build(part) {
  const { name, madeOf } = part
  const own = ['src', 'package.json', 'tsdown.config.ts'].map((path) => join(packages, name, path))
  if (isFresh([outputOf(part)], [...own, ...madeOf])) return
  const { code, output } = await npm(['run', '--silent', 'build', '-w', `@microchatter/${name}`])
  if (code !== 0) throw new Failure(`${output.trim()}\n\npackages/${name} was not built.`)
}

try {
  await build(client)
  await build(widget)
  copyFileSync(outputOf(widget), join(packages, 'server/dist/widget.js'))
} catch (error) {
  endWith(error)
}
