import type { SearchQuery } from '@microchatter/protocol'
import { searchMessages } from '../domain/search.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onSearchMessages(call: Call<{ query: SearchQuery }>): Promise<Answer> {
  return ok(await searchMessages(call.core, call.actor, call.query))
}
