/** Compares on a thread of its own, one request after the other. What fails ends the thread. */
import { parentPort } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'

export interface BcryptRequest {
  id: number
  text: string
  /** $2a$, $2b$ or $2y$. */
  stored: string
}
export interface BcryptAnswer {
  id: number
  match: boolean
}

const port = parentPort
if (!port) throw new Error('bcrypt-worker runs as a worker thread only')

port.on('message', ({ id, text, stored }: BcryptRequest) => {
  port.postMessage({ id, match: compareSync(text, stored) } satisfies BcryptAnswer)
})
