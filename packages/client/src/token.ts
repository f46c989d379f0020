import { toError } from './errors.ts'

/** The site's word for who is logged in: a JWT, or a session token of the server; undefined: nobody is. */
export type GetToken = () => Promise<string | undefined> | string | undefined

/** Asked for when it is needed, once for all who need it at that moment. */
export class Token {
  readonly #get: GetToken
  #asked: Promise<string> | undefined

  constructor(get: GetToken) {
    this.#get = get
  }

  /** @throws ChatError signed_out, or what the site's function throws */
  get(): Promise<string> {
    this.#asked ??= this.#ask()
    return this.#asked
  }

  async authorization(): Promise<string> {
    return `Bearer ${await this.get()}`
  }

  /** It has ended, or is about to: the next one is asked for anew. */
  forget(): void {
    this.#asked = undefined
  }

  async #ask(): Promise<string> {
    try {
      const token = await this.#get()
      if (!token) throw toError({ code: 'signed_out' })
      return token
    } catch (error) {
      this.#asked = undefined
      throw error
    }
  }
}
