import { getFeatures } from '../domain/features.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onGetFeatures({ core, actor }: Call): Promise<Answer> {
  return ok(getFeatures(core, actor))
}
