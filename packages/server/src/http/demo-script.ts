/** Runs in the page /demo, as it is. */
export const DEMO_SCRIPT = `const $ = (id) => document.getElementById(id)
const widgets = [...document.querySelectorAll('micro-chatter')]
const system = matchMedia('(prefers-color-scheme: dark)')
const theme = $('theme')
const root = document.documentElement

const isDark = () => (root.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark'
const nameTheme = () => {
  theme.textContent = isDark() ? 'Light' : 'Dark'
}
theme.addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark'
  for (const widget of widgets) widget.setAttribute('theme', root.dataset.theme)
  nameTheme()
})
system.addEventListener('change', nameTheme)
nameTheme()

const language = $('language')
const speak = () => {
  for (const widget of widgets) {
    widget.setAttribute('lang', language.value)
    widget.parentElement.dir = language.value === 'ar' ? 'rtl' : 'ltr'
  }
}
language.addEventListener('change', speak)
speak()

const tabs = [...document.querySelectorAll('[role=tab]')]
const show = (chosen) => {
  for (const tab of tabs) {
    tab.setAttribute('aria-selected', String(tab === chosen))
    tab.tabIndex = tab === chosen ? 0 : -1
  }
  document.querySelector('main').dataset.shown = chosen.getAttribute('aria-controls')
}
for (const [index, tab] of tabs.entries()) {
  tab.addEventListener('click', () => show(tab))
  tab.addEventListener('keydown', ({ key }) => {
    if (key !== 'ArrowLeft' && key !== 'ArrowRight') return
    const other = tabs[(index + 1) % tabs.length]
    show(other)
    other.focus()
  })
}
show(tabs[0])

const snippet = $('snippet')
const copy = $('copy')
snippet.textContent = snippet.textContent.replace('/widget.js', location.origin + '/widget.js')
copy.addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(snippet.textContent)
    copy.textContent = 'Copied'
  } catch {
    getSelection().selectAllChildren(snippet)
    copy.textContent = 'Selected'
  }
  setTimeout(() => {
    copy.textContent = 'Copy'
  }, 2000)
})
`
