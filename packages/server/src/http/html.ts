/** Markup whose values are escaped unless they are markup themselves. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Value = string | number | Html | Value[]

export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  const text = values.map((value, index) => toText(value) + (strings[index + 1] ?? '')).join('')
  return new Html((strings[0] ?? '') + text)
}

export const NONE = new Html('')

/** With `code` between backticks. */
export function prose(text: string): Html {
  return html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

function toText(value: Value): string {
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(toText).join('')
  return String(value).replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
