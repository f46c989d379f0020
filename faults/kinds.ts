/**
 * The faults, each with what must hold meanwhile. The numbers are those of docs/trust/README.md. One
 * runs while people are at work, and is over when `strike` resolves.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { launch } from './process.ts'
import { cutInTheMiddle, drip, halfOpen, late, loseAnswers } from './proxy.ts'
import type { Random } from './random.ts'
import {
  commits,
  descriptors,
  fillTheDisk,
  loseTheTail,
  neverRead,
  OUR_SESSIONS,
  sendOldOnesAgain,
  stayHonest,
  useUpConnections,
  withToxic,
  withTrigger,
} from './strikes.ts'
import type { Load } from './workload.ts'
import type { Setting, World } from './world.ts'

export interface Fault {
  /** As in docs/trust. */
  id: string
  name: string
  on: readonly Setting[]
  /** What the network or the machine does is not the server's fault: answers may be late. */
  isHampering: boolean
  /** What people do meanwhile, beside the usual. */
  load?: Partial<Load>
  /** How often it is chosen, compared with others: 1 unless told. */
  weight?: number
  strike(world: World, random: Random): Promise<void>
}

const POSTGRES: readonly Setting[] = ['postgres']
const ALL: readonly Setting[] = ['postgres', 'embedded']
export const FAULTS: readonly Fault[] = [
  {
    id: 'F1',
    name: 'the server is killed',
    on: ALL,
    isHampering: true,
    weight: 3,
    async strike({ server }, random) {
      await server.kill()
      await sleep(random.between(0, 300))
      await server.start()
    },
  },
  {
    id: 'F2a',
    name: 'PostgreSQL is killed',
    on: POSTGRES,
    isHampering: false,
    weight: 2,
    async strike(world, random) {
      await world.cluster.kill9()
      await stayHonest(world, random.between(200, 1_500))
      await world.cluster.start()
    },
  },
  {
    id: 'F2b',
    name: 'a backend of PostgreSQL is killed: all sessions end',
    on: POSTGRES,
    isHampering: false,
    async strike(world) {
      const [row] = await world.sql((query) => query(OUR_SESSIONS))
      if (row) process.kill(row.pid, 'SIGKILL')
      await sleep(300)
    },
  },
  {
    id: 'F2c',
    name: 'an administrator ends our sessions',
    on: POSTGRES,
    isHampering: false,
    async strike(world, random) {
      for (let round = random.between(1, 4); round > 0; round -= 1) {
        await world.sql((query) =>
          query(`SELECT pg_terminate_backend(pid) FROM (${OUR_SESSIONS}) s`),
        )
        await sleep(random.between(20, 200))
      }
    },
  },
  {
    id: 'F3',
    name: 'PostgreSQL is frozen',
    on: POSTGRES,
    isHampering: false,
    weight: 2,
    async strike(world, random) {
      world.cluster.freeze()
      try {
        await stayHonest(world, random.between(1_500, 5_000))
      } finally {
        world.cluster.thaw()
      }
    },
  },
  {
    id: 'F7a',
    name: "clients' connections are reset",
    on: ALL,
    isHampering: true,
    async strike({ link }, random) {
      for (let round = random.between(1, 4); round > 0; round -= 1) {
        link.resetAll()
        await sleep(random.between(50, 400))
      }
    },
  },
  {
    id: 'F7b',
    name: "the database's connections are reset",
    on: POSTGRES,
    isHampering: false,
    async strike({ dbLink }, random) {
      for (let round = random.between(1, 4); round > 0; round -= 1) {
        dbLink.resetAll()
        await sleep(random.between(50, 400))
      }
    },
  },
  {
    id: 'F8a',
    name: "half of the clients' connections are half-open",
    on: ALL,
    isHampering: true,
    async strike({ link }, random) {
      const stuck = new Set([...link.links].filter(() => random.chance(50)))
      await withToxic(link, halfOpen((one) => stuck.has(one)).toxic, 2_000)
      for (const one of stuck) one.reset()
    },
  },
  {
    id: 'F8b',
    name: "the database's connections are half-open",
    on: POSTGRES,
    // The database answers on new ones: what waits on the old ones ends by the statement's time-out.
    isHampering: true,
    async strike({ dbLink }) {
      const stuck = new Set(dbLink.links)
      await withToxic(dbLink, halfOpen((one) => stuck.has(one)).toxic, 3_000)
      for (const one of stuck) one.reset()
    },
  },
  {
    id: 'F9a',
    name: 'what clients get drips in',
    on: ALL,
    isHampering: true,
    async strike({ link }, random) {
      const slow = new Set([...link.links].filter(() => random.chance(40)))
      await withToxic(link, { ...drip(2_000), on: (one) => slow.has(one) }, 2_000)
    },
  },
  {
    id: 'F9b',
    name: 'a reader never reads: it is closed, and comes back whole',
    on: ALL,
    isHampering: true,
    strike: neverRead,
  },
  {
    id: 'F9c',
    name: "clients' connections are cut in the middle of a frame",
    on: ALL,
    isHampering: true,
    async strike({ link }, random) {
      await withToxic(
        link,
        cutInTheMiddle(() => random.chance(3)),
        1_000,
      )
    },
  },
  {
    id: 'F10a',
    name: 'answers to clients are lost',
    on: ALL,
    isHampering: true,
    weight: 3,
    async strike({ link }, random) {
      await withToxic(
        link,
        loseAnswers(() => random.chance(8)),
        1_000,
      )
    },
  },
  {
    id: 'F10b',
    name: 'answers to commits are lost',
    on: POSTGRES,
    isHampering: false,
    weight: 3,
    async strike({ dbLink }, random) {
      await withToxic(
        dbLink,
        loseAnswers((bytes) => commits(bytes) && random.chance(10)),
        1_000,
      )
    },
  },
  {
    id: 'F10c',
    name: 'the answer to the last commit of a chat is lost, and nothing follows',
    on: POSTGRES,
    isHampering: false,
    weight: 2,
    load: { messages: 0 },
    strike: loseTheTail,
  },
  {
    id: 'F11a',
    name: 'packets to and from clients are lost: bytes come later',
    on: ALL,
    isHampering: true,
    async strike({ link }, random) {
      await withToxic(
        link,
        late(() => (random.chance(5) ? 200 * random.of([1, 1, 1, 3]) : 0)),
        1_500,
      )
    },
  },
  {
    id: 'F11b',
    name: 'packets to and from the database are lost: bytes come later',
    on: POSTGRES,
    isHampering: false,
    async strike({ dbLink }, random) {
      await withToxic(
        dbLink,
        late(() => (random.chance(5) ? 200 : 0)),
        1_500,
      )
    },
  },
  {
    id: 'F12',
    name: "the server's clock jumps",
    on: ['clock'],
    isHampering: false,
    async strike({ parts }, random) {
      for (let round = random.between(1, 3); round > 0; round -= 1) {
        parts.clock?.jump(random.of([-2, -1, 1, 2]))
        await sleep(random.between(200, 800))
      }
      parts.clock?.jump(0)
    },
  },
  {
    id: 'F13',
    name: "the database's disk is full",
    on: ['small disk'],
    isHampering: false,
    strike: fillTheDisk,
  },
  {
    id: 'F14',
    name: 'the server has no file descriptors left',
    on: POSTGRES,
    isHampering: true,
    async strike({ server, link }, random) {
      const limit = (soft: number) =>
        launch('prlimit', ['--pid', String(server.pid), `--nofile=${soft}:`], { stdio: 'ignore' })
      const { soft, used } = await descriptors(server.pid)
      limit(used + random.between(0, 4))
      link.resetAll()
      await sleep(random.between(500, 1_500))
      limit(soft)
    },
  },
  {
    id: 'F15',
    name: 'the server has little memory',
    on: POSTGRES,
    isHampering: true,
    async strike(world, random) {
      await world.server.stop()
      world.server.nodeFlags = ['--max-old-space-size=96']
      await world.server.start()
      await neverRead(world, random)
      await world.server.stop()
      world.server.nodeFlags = []
      await world.server.start()
    },
  },
  {
    id: 'F16',
    name: 'the server gets no processor for a while',
    on: ALL,
    isHampering: true,
    async strike({ server }, random) {
      const busy = [0, 1, 2].map(() =>
        launch(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
      )
      for (let round = random.between(1, 3); round > 0; round -= 1) {
        server.signal('SIGSTOP')
        await sleep(random.between(100, 700))
        server.signal('SIGCONT')
        await sleep(100)
      }
      for (const one of busy) one.kill('SIGKILL')
    },
  },
  {
    id: 'F17',
    name: 'every send comes twice, in any order, and old ones come again',
    on: ALL,
    isHampering: false,
    weight: 2,
    load: { isTwice: true },
    strike: sendOldOnesAgain,
  },
  {
    id: 'F18',
    name: 'everyone comes back at once',
    on: ALL,
    isHampering: true,
    async strike(world) {
      world.isStorming = true
      await world.server.kill()
      await world.server.start()
      await sleep(500)
      world.isStorming = false
    },
  },
  {
    id: 'F20a',
    name: 'blocks race with sends, first messages with each other',
    on: ALL,
    isHampering: false,
    weight: 2,
    load: { blocks: 3, newPairs: 3 },
    strike: () => sleep(500),
  },
  {
    id: 'F20b',
    name: 'transactions get in the way of each other',
    on: POSTGRES,
    isHampering: false,
    load: { blocks: 1, newPairs: 2 },
    strike: (world, random) =>
      withTrigger(world, {
        on: 'BEFORE UPDATE ON chats FOR EACH STATEMENT',
        does: `IF random() < 0.15 THEN
          RAISE EXCEPTION 'injected' USING ERRCODE = '${random.of(['40001', '40P01', '55P03'])}';
        END IF; RETURN NULL;`,
      }),
  },
  {
    id: 'F22',
    name: 'the database refuses some messages',
    on: POSTGRES,
    isHampering: false,
    load: { isPoisoned: true },
    strike: (world) =>
      withTrigger(world, {
        on: `BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.body LIKE '%poison')`,
        does: `RAISE EXCEPTION 'poison' USING ERRCODE = '22000';`,
      }),
  },
  {
    id: 'F23',
    name: 'PostgreSQL takes no more connections',
    on: POSTGRES,
    isHampering: false,
    strike: useUpConnections,
  },
]
