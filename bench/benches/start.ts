/** No `round.start` here: what is measured begins with the process, and the folder outlives it. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, Round, Sample } from '../bench.ts'
import { Connection } from '../http.ts'
import { signJwt } from '../jwt.ts'

const COMMAND = fileURLToPath(new URL('../../packages/server/dist/main.js', import.meta.url))
const LIMIT_MS = 60_000
const STOP_MS = 15_000
/** What follows the message is done too, before the server stops: the later start finds all in order. */
const REST_MS = 1_000
const SERVER = 'Microchatter, embedded'
const FIRST = 'first start, empty folder'
const LATER = 'later start'
const UNIT = 's to the first message'

export const start: Bench = {
  name: 'start',
  title: 'From the command to the first message that is stored, s',
  plot: UNIT,
  goals: [
    {
      name: FIRST,
      better: 'lower',
      bound: 4,
      unit: 's',
      of: (samples) => secondsOf(samples, FIRST),
    },
    {
      name: LATER,
      better: 'lower',
      bound: 1,
      unit: 's',
      of: (samples) => secondsOf(samples, LATER),
    },
  ],
  ticks: () => 2,
  async measure(round) {
    const folder = mkdtempSync(join(tmpdir(), 'microchatter-bench-'))
    round.defer(() => rmSync(folder, { recursive: true, force: true }))
    const secret = randomBytes(32).toString('hex')
    const samples: Sample[] = []
    for (const load of [FIRST, LATER]) {
      round.say(load)
      samples.push({ server: SERVER, load, values: await startOnce(round, { folder, secret }) })
      round.tick()
    }
    return samples
  },
}

interface Place {
  folder: string
  secret: string
}

async function startOnce(round: Round, { folder, secret }: Place): Promise<Sample['values']> {
  const began = performance.now()
  const { url, stop } = await launch(round, { folder, secret })
  const listening = performance.now()
  await sendOne(url, secret)
  const sent = performance.now()
  await new Promise((resolve) => setTimeout(resolve, REST_MS))
  await stop()
  return { [UNIT]: (sent - began) / 1_000, 's until it listens': (listening - began) / 1_000 }
}

/** Bob is known once he has called, and Ann writes to him. */
async function sendOne(url: string, secret: string): Promise<void> {
  const connection = new Connection(url)
  await connection.send({ path: '/unread', token: signJwt(secret, 'bob') })
  const path = '/chats/users/bob/messages'
  const body = { body: 'Hello' }
  await connection.send({ method: 'POST', path, token: signJwt(secret, 'ann'), body })
  connection.close()
}

async function launch(round: Round, { folder, secret }: Place) {
  const settings = { PORT: '0', MICROCHATTER_JWT_SECRET: secret, MICROCHATTER_DATA_DIR: folder }
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [COMMAND, 'start'], {
    env: { PATH, HOME, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void exited.then(() => process.off('exit', kill))
  const stop = async () => {
    const timer = setTimeout(kill, STOP_MS)
    child.kill('SIGTERM')
    await exited.finally(() => clearTimeout(timer))
  }
  round.defer(stop)
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server did not start')), LIMIT_MS)
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const found = /"url":"(http[^"]+)"/.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    })
    void exited.then(() => reject(new Error(`the server ended while starting:\n${output}`)))
    child.once('exit', () => clearTimeout(timer))
  })
  return { url, stop }
}

function secondsOf(samples: readonly Sample[], load: string): number | undefined {
  return samples.find((one) => one.load === load)?.values[UNIT]
}
