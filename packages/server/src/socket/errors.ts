import type { CallError } from '@microchatter/protocol'
import { asChatError, ChatError } from '../domain/errors.ts'

/** Told of what is a defect of ours. */
export type OnDefect = (error: unknown, call: string) => void

export function toCallError(error: unknown, call: string, onDefect: OnDefect): CallError {
  const known = asChatError(error)
  if (!known) onDefect(error, call)
  return (
    known ?? new ChatError('internal', { detail: 'Something went wrong; it is logged' })
  ).toCallError()
}
