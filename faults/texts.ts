import type { Random } from './random.ts'

let counted = 0

/** Everything that texts may hold, and a number that makes it the only one. */
export function newText(random: Random): string {
  const filling = ['hello', '"quoted\\"', '{a,b}', 'NULL', "it's", '🙂 ümläut', 'line\nline', '<b>']
  counted += 1
  return `m${counted} ${random.of(filling)}`
}
