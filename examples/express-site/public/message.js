// A button with data-message-to opens the launcher's inbox at the conversation with that user.
document.addEventListener('click', ({ target }) => {
  const username = target.closest('[data-message-to]')?.dataset.messageTo
  if (username === undefined) return
  customElements.whenDefined('micro-chatter-launcher').then(() => {
    document.querySelector('micro-chatter-launcher').openWith(username)
  }, console.error)
})
