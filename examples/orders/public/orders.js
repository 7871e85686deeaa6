import { create } from '/client.js'

// The page keeps the list and the position up to which it has it, always together: what is stored
// is a state of the board, and the rest comes after that position.

const SHOWN = 100
const STORED = 'orders/board'

const byId = (id) => document.getElementById(id)

let { position, orders } = readStored()
let key = newKey()

const socket = create({ autoReconnectOptions: { initialDelay: 500, randomness: 500 } })
const board = socket.channel('orders/board')

listen(board, 'message', ({ data, epoch, offset }) => {
  if (epoch !== position?.epoch) orders = []
  keep({ epoch, offset }, [...orders, { ...data, offset }])
})

listen(board, 'recover', async ({ recovered }) => {
  showRecovery(recovered)
  if (!recovered) await readHistory()
})

listen(board, 'subscribe', async () => {
  showPresence()
  if (!position) await readHistory()
})
listen(board, 'join', showPresence)
listen(board, 'leave', showPresence)

/** The list as the server has it, with what has arrived since it said so. */
async function readHistory() {
  const { epoch, offset, messages } = await board.history({ reverse: true, limit: SHOWN })
  const known = messages.toReversed().map(({ data, offset }) => ({ ...data, offset }))
  const later = epoch === position?.epoch ? orders.filter((order) => order.offset > offset) : []
  keep({ epoch, offset: later.at(-1)?.offset ?? offset }, [...known, ...later])
}

function keep(newPosition, newOrders) {
  position = newPosition
  orders = newOrders.slice(-SHOWN)
  localStorage.setItem(STORED, JSON.stringify({ position, orders }))
  showOrders()
}

function readStored() {
  try {
    const { position, orders } = JSON.parse(localStorage.getItem(STORED))
    return { position, orders }
  } catch {
    return { position: null, orders: [] }
  }
}

function showOrders() {
  byId('orders').replaceChildren(...orders.toReversed().map(orderItem))
}

function orderItem({ offset, text, at }) {
  const item = document.createElement('li')
  const number = document.createElement('b')
  number.textContent = `#${offset}`
  const body = document.createElement('span')
  body.textContent = text
  const time = document.createElement('time')
  time.textContent = new Date(at).toLocaleTimeString()
  item.append(number, body, time)
  return item
}

function showRecovery(recovered) {
  const clock = new Date().toLocaleTimeString()
  byId('recovery').dataset.recovered = String(recovered)
  byId('recovery').textContent = recovered
    ? `${clock}: recovered, nothing was missed`
    : `${clock}: not recovered, the list was read anew`
}

async function showPresence() {
  const { count } = await board.presence()
  byId('present').textContent = count === 1 ? 'only you here' : `${count} here`
}

function showState(state) {
  byId('state').textContent = state
  byId('state').dataset.state = state
}

function showNotice(text, kind = 'news') {
  byId('notice').textContent = text
  byId('notice').dataset.kind = kind
}

/** One key per order: however often it is sent, it is published once. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('-')
}

byId('order').addEventListener('submit', async (event) => {
  event.preventDefault()
  const form = event.target
  const order = { text: form.elements.text.value }
  const delay = event.submitter?.value
  const options = delay ? { key, delay: Number(delay) } : { key }
  try {
    const { offset, duplicate, due } = await board.invokePublish(order, options)
    if (due) showNotice(`Ordered for ${new Date(due).toLocaleTimeString()}`)
    else showNotice(`${duplicate ? 'Already ordered' : 'Ordered'} as #${offset}`)
    if (options.key !== key) return
    form.reset()
    key = newKey()
  } catch (error) {
    showNotice(error.message, 'problem')
  }
})
byId('order').addEventListener('input', () => (key = newKey()))

async function listen(emitter, event, handle) {
  for await (const data of emitter.listener(event)) {
    try {
      await handle(data)
    } catch (error) {
      showNotice(error.message, 'problem')
    }
  }
}

listen(socket, 'connecting', () => showState('connecting'))
listen(socket, 'connect', () => showState('connected'))
listen(socket, 'close', () => showState('disconnected'))
listen(socket, 'subscribeFail', ({ error }) => showNotice(error.message, 'problem'))
listen(socket, 'error', ({ error }) => console.warn(error))

showOrders()
board.subscribe({ since: position })
