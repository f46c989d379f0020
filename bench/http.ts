/** HTTP by hand on one connection that is kept: one request at a time, next to no cost of its own. */
import { connect, type Socket } from 'node:net'

const ANSWER_MS = 30_000
const HEAD_END = '\r\n\r\n'

export interface Request {
  method?: 'GET' | 'POST'
  path: string
  token: string
  body?: object
}
export interface Answer {
  status: number
  body: string
}

export class Connection {
  readonly #socket: Socket
  readonly #host: string
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  constructor(url: string) {
    const { hostname, port, host } = new URL(url)
    this.#host = host
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket.setTimeout(ANSWER_MS, () => this.#socket.destroy(new Error('no answer by HTTP')))
    this.#socket.on('data', (data) => this.#onData(data))
    this.#socket.on('error', (error) => this.#waiting?.reject(error))
    this.#socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed')))
  }

  /** @throws where the answer is none of 2xx */
  async send({ method = 'GET', path, token, body }: Request): Promise<Answer> {
    const content = body === undefined ? '' : JSON.stringify(body)
    const type =
      body === undefined
        ? ''
        : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(content)}\r\n`
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nauthorization: Bearer ${token}\r\n`
    if (this.#socket.destroyed) throw new Error('the connection was closed')
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(`${head}${type}\r\n${content}`)
    })
    if (answer.status < 200 || answer.status > 299)
      throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 200)}`)
    return answer
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.destroy()
  }

  #onData(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data])
    const headEnd = this.#received.indexOf(HEAD_END)
    if (headEnd < 0) return
    const head = this.#received.toString('latin1', 0, headEnd)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    const from = headEnd + HEAD_END.length
    if (this.#received.length < from + length) return
    const body = this.#received.toString('utf8', from, from + length)
    this.#received = this.#received.subarray(from + length)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status: Number(head.slice(9, 12)), body })
  }
}
