/**
 * A thread that says when the next message of an open loop is due: node's own timers are whole
 * milliseconds and late by up to one, which would count as the server's. Plain JavaScript, for
 * threads do not know of tsx.
 */
import { parentPort, workerData } from 'node:worker_threads'

/** In ms, by the clock that all threads of a process share. */
const { startAt, intervalMs } = workerData
const nothing = new Int32Array(new SharedArrayBuffer(4))
for (let number = 0; ; number += 1) {
  const leftMs = startAt + number * intervalMs - Number(process.hrtime.bigint()) / 1e6
  if (leftMs > 0) Atomics.wait(nothing, 0, 0, leftMs)
  parentPort.postMessage(number)
}
