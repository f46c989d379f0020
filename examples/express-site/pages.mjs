/** The pages. `html` escapes what is put into it, unless that was made by `html` itself. */
import { CHAT_URL } from './chat.mjs'

class Html {
  constructor(text) {
    this.text = text
  }
}

const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
const toText = (value) => {
  if (Array.isArray(value)) return value.map(toText).join('')
  return value instanceof Html ? value.text : escape(value ?? '')
}

function html(strings, ...values) {
  return new Html(String.raw({ raw: strings }, ...values.map(toText)))
}

/** In the head, and at the end of the body, of what people see who are logged in. */
const chatScript = html`
    <script type="module" src="${CHAT_URL}/widget.js"></script>
    <script type="module" src="/message.js"></script>`
const chatLauncher = html`
    <micro-chatter-launcher token-url="/chat-token"></micro-chatter-launcher>`

const visitorMenu = html`<a href="/login">Log in</a>`
const userMenu = (user) => html`
      <span>${user.name}</span>
      <micro-chatter-badge token-url="/chat-token"></micro-chatter-badge>
      <form method="post" action="/logout"><button>Log out</button></form>`

function page(user, title, main) {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${title} · Second Hand Books</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/style.css">${user ? chatScript : ''}
  </head>
  <body>
    <header>
      <a class="name" href="/">Second Hand Books</a>
      ${user ? userMenu(user) : visitorMenu}
    </header>
    <main>${main}</main>${user ? chatLauncher : ''}
  </body>
</html>
`.text
}

const card = ({ id, title, author, price }) => html`
        <li><a class="offer" href="/offers/${id}">
          <span class="cover">${title}</span>
          <span>${author}</span>
          <strong>${price}</strong>
        </a></li>`

export function offersPage(user, offers) {
  return page(
    user,
    'Offers',
    html`
      <h1>Offers</h1>
      <ul class="offers">${offers.map(card)}
      </ul>`,
  )
}

function contact(user, seller) {
  if (!user) return html`<a href="/login">Log in to message the seller</a>`
  if (user.username === seller.username) return html`<em>This is your own offer.</em>`
  return html`<button data-message-to="${seller.username}">Message the seller</button>`
}

export function offerPage(user, offer, seller) {
  return page(
    user,
    offer.title,
    html`
      <article>
        <span class="cover">${offer.title}</span>
        <div>
          <h1>${offer.title}</h1>
          <p>${offer.author} · <strong>${offer.price}</strong></p>
          <p>${offer.text}</p>
          <p>Sold by ${seller.name}</p>
          ${contact(user, seller)}
        </div>
      </article>`,
  )
}

export function loginPage(error) {
  return page(
    undefined,
    'Log in',
    html`
      <form class="login" method="post" action="/login">
        <h1>Log in</h1>
        <p class="error" role="alert">${error}</p>
        <label>Name <input name="username" autocomplete="username" required autofocus></label>
        <label>Password
          <input name="password" type="password" autocomplete="current-password" required></label>
        <button>Log in</button>
        <p class="hint">To try: mira, noah or olga, each with the password <code>paper boat</code></p>
      </form>`,
  )
}
