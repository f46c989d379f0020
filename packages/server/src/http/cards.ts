import type { PressBody } from '@microchatter/protocol'
import { pressButton } from '../domain/cards.ts'
import type { MessageParams } from './messages.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onPressButton({
  core,
  actor,
  params,
  body,
}: Call<{ params: MessageParams; body: PressBody }>): Promise<Answer> {
  return ok(await pressButton(core, actor, params, body.button))
}
