import { create } from '/socketcluster-client.js'

const socket = create()
const logs = new Map()
let current = null

const byId = (id) => document.getElementById(id)

function openRoom(name) {
  if (!logs.has(name)) {
    logs.set(name, [])
    addRoomButton(name)
    receive(name)
  }
  current = name
  byId('room-name').textContent = `# ${name}`
  byId('messages').replaceChildren(...logs.get(name).map(messageItem))
  for (const button of byId('rooms').children) {
    button.setAttribute('aria-current', String(button.dataset.room === name))
    if (button.dataset.room === name) button.classList.remove('unread')
  }
  scrollDown()
}

/** Letters and digits, with a dash for whatever is between them. */
function roomName(text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu)
  return words ? words.join('-') : ''
}

function addRoomButton(name) {
  const button = document.createElement('button')
  button.dataset.room = name
  button.textContent = `# ${name}`
  button.addEventListener('click', () => openRoom(name))
  byId('rooms').append(button)
}

async function receive(name) {
  for await (const message of socket.subscribe(`room/${name}`)) {
    logs.get(name).push(message)
    if (name === current) {
      byId('messages').append(messageItem(message))
      scrollDown()
    } else {
      document.querySelector(`[data-room="${CSS.escape(name)}"]`).classList.add('unread')
    }
  }
}

function messageItem({ from, text, at }) {
  const item = document.createElement('li')
  const time = document.createElement('time')
  time.textContent = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  const author = document.createElement('b')
  author.textContent = from
  author.style.color = `hsl(${hue(from)} 60% 40%)`
  const body = document.createElement('span')
  body.textContent = text
  item.append(author, time, body)
  return item
}

function hue(name) {
  return [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7)
}

function scrollDown() {
  byId('messages').scrollTop = byId('messages').scrollHeight
}

function showLogin() {
  const name = socket.authToken?.name
  byId('me').textContent = name ?? ''
  byId('log-in').hidden = Boolean(name)
  byId('write').hidden = !name
  byId('log-out').hidden = !name
}

function showState(state) {
  byId('state').textContent = state
  byId('state').dataset.state = state
}

function showProblem(error) {
  byId('problem').textContent = error?.message ?? ''
}

function onSubmit(id, handle) {
  byId(id).addEventListener('submit', async (event) => {
    event.preventDefault()
    const form = event.target
    try {
      await handle(new FormData(form))
      form.reset()
      showProblem(null)
    } catch (error) {
      showProblem(error)
    }
  })
}

async function listen(event, handle) {
  for await (const data of socket.listener(event)) handle(data)
}

onSubmit('log-in', async (form) => {
  await socket.invoke('login', { name: form.get('name') })
  byId('write').elements.text.focus()
})
onSubmit('write', (form) => {
  return socket.invokePublish(`room/${current}`, { text: form.get('text') })
})
onSubmit('new-room', async (form) => {
  const name = roomName(form.get('room'))
  if (!name) throw new Error('A room name has letters or digits')
  openRoom(name)
})
byId('log-out').addEventListener('click', () => socket.deauthenticate())

listen('connecting', () => showState('connecting'))
listen('connect', () => showState('connected'))
listen('close', () => showState('disconnected'))
listen('authStateChange', showLogin)
listen('subscribeFail', ({ error }) => showProblem(error))
listen('error', ({ error }) => console.warn(error))

openRoom('general')
openRoom('random')
openRoom('general')
showLogin()
