/** The process behind crowd.ts. */
import type { CrowdPlan, FromCrowd, Order, Outcome } from './crowd.ts'
import { signJwt } from './jwt.ts'
import { openSocket } from './wire.ts'

/** Attempts under way at once: fewer than the backlog of a listening socket. */
const OPENING = 500
const SYNC_MS = 30_000
const CURSOR = /"cursor":"([^"]+)"/

interface Seat {
  auth: object
  socket?: Awaited<ReturnType<typeof openSocket>>
  cursor?: string
  /** Gets the next packet. */
  onPacket?: ((packet: string) => void) | undefined
}

class Crowd {
  readonly #plan: CrowdPlan
  readonly #seats: Seat[] = []

  constructor(plan: CrowdPlan) {
    this.#plan = plan
  }

  obey(order: Order): Promise<Outcome> {
    if (order.do === 'open') return this.#open(order.sockets)
    if (order.do === 'sync') return timed(this.#seats, (seat) => this.#sync(seat))
    return this.#storm()
  }

  #open(sockets: number): Promise<Outcome> {
    const { secret, sync } = this.#plan
    const from = this.#seats.length
    const authOf = (number: number) => ({
      token: signJwt(secret, `user${number}`),
      ...(sync ? { hold: true } : {}),
    })
    for (let number = from; number < sockets; number += 1)
      this.#seats.push({ auth: secret === '' ? {} : authOf(number) })
    return timed(this.#seats.slice(from), (seat) => this.#connect(seat))
  }

  #storm(): Promise<Outcome> {
    for (const { socket } of this.#seats) socket?.close()
    return timed(this.#seats, async (seat) => {
      await this.#connect(seat)
      if (this.#plan.sync) await this.#sync(seat)
    })
  }

  async #connect(seat: Seat): Promise<void> {
    const onFrame = (packet: string) => seat.onPacket?.(packet)
    seat.socket = await openSocket(this.#plan.url, { auth: seat.auth, onFrame })
  }

  async #sync(seat: Seat): Promise<void> {
    const body = seat.cursor === undefined ? '{}' : `{"cursor":"${seat.cursor}"}`
    const answer = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('a sync was not answered')), SYNC_MS)
      seat.onPacket = (packet) => {
        if (!packet.startsWith('3')) return
        clearTimeout(timer)
        resolve(packet)
      }
      seat.socket?.send(`20["sync",${body}]`)
    })
    seat.onPacket = undefined
    const cursor = CURSOR.exec(answer)?.[1]
    if (!answer.startsWith('30[{"ok":true') || cursor === undefined)
      throw new Error(`a sync was refused: ${answer.slice(0, 200)}`)
    seat.cursor = cursor
  }
}

async function timed(seats: Seat[], work: (seat: Seat) => Promise<void>): Promise<Outcome> {
  const began = performance.now()
  const reasons: string[] = []
  let next = 0
  const worker = async () => {
    for (let seat = seats[next++]; seat; seat = seats[next++])
      await work(seat).catch((error: Error) => void reasons.push(error.message))
  }
  await Promise.all(Array.from({ length: OPENING }, worker))
  const outcome = { ms: performance.now() - began, failed: reasons.length }
  return reasons[0] === undefined ? outcome : { ...outcome, reason: reasons[0] }
}

const crowd = new Crowd(JSON.parse(process.argv[2] ?? '') as CrowdPlan)
const tell = (message: FromCrowd) => void process.send?.(message)
process.on('message', (order: Order) => {
  crowd.obey(order).then(
    (outcome) => tell({ outcome }),
    (error: Error) => tell({ error: error.message }),
  )
})
process.once('disconnect', () => process.exit(0))
