/** All benches, in the order in which they run. */
import type { Bench } from './bench.ts'
import { calm } from './benches/calm.ts'
import { database } from './benches/database.ts'
import { fanOut } from './benches/fan-out.ts'
import { growth } from './benches/growth.ts'
import { history } from './benches/history.ts'
import { idle } from './benches/idle.ts'
import { list } from './benches/list.ts'
import { memory } from './benches/memory.ts'
import { nodes } from './benches/nodes.ts'
import { presence } from './benches/presence.ts'
import { rest } from './benches/rest.ts'
import { search } from './benches/search.ts'
import { send } from './benches/send.ts'
import { start } from './benches/start.ts'
import { storm } from './benches/storm.ts'

export const BENCHES: readonly Bench[] = [
  send,
  calm,
  rest,
  fanOut,
  presence,
  database,
  idle,
  storm,
  list,
  history,
  search,
  growth,
  start,
  nodes,
  { ...memory, apart: true },
]
