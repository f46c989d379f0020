/** English, and four other languages; each text can be replaced by the page. */
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en, type Texts } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'

const LANGUAGES: Record<string, Texts> = { en, de, fr, es, ar }

/** `de-AT` is German; a language that is not there is English. */
export function textsOf(language: string, replaced: Partial<Texts> = {}): Texts {
  const texts = LANGUAGES[language.toLowerCase().split('-')[0] ?? ''] ?? en
  return { ...texts, ...replaced }
}
