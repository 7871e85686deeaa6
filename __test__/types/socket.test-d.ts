import { AGServerSocket } from 'es-networkcluster'
import type { AGRequest, AuthToken } from 'es-networkcluster'

async function receiving(socket: AGServerSocket) {
  for await (const data of socket.receiver<{ text: string }>('chat')) {
    const text: string = data.text
    void text
    // @ts-expect-error
    void data.texts
  }
  for await (const request of socket.procedure<number>('double')) {
    const typed: AGRequest<number, AGServerSocket> = request
    request.end(typed.data * 2)
    request.error(new Error('no'))
    request.socket.kickOut('news')
    // @ts-expect-error
    request.end()()
    // @ts-expect-error
    void request.data.length
  }
  const consumer = socket.receiver('chat').createConsumer(1000)
  const { id, backpressure } = consumer.getStats()
  const sum: number = id + backpressure + socket.getBackpressure()
  consumer.return()
  void sum
}

async function sending(socket: AGServerSocket) {
  await socket.transmit('event', { any: 'data' })
  const result = await socket.invoke<{ ok: boolean }>('proc', null, { ackTimeout: 10 })
  const ok: boolean = result.ok
  socket.send('raw')
  await socket.disconnect(4100, 'bye')
  await socket.kickOut(['a', 'b'], 'out')
  void ok
  // @ts-expect-error
  await socket.invoke('proc', null, { ackTimeout: 'soon' })
  // @ts-expect-error
  await socket.transmit()
  // @ts-expect-error
  await socket.disconnect('4100')
}

async function authentication(socket: AGServerSocket) {
  await socket.setAuthToken({ user: 'bob' }, { expiresIn: 60, rejectOnFailedDelivery: true })
  const token: AuthToken | null = socket.authToken
  if (socket.authState === socket.AUTHENTICATED) void token?.exp
  if (socket.state === AGServerSocket.OPEN) await socket.deauthenticate()
  // @ts-expect-error
  if (socket.state === 'opened') return
  // @ts-expect-error
  await socket.setAuthToken('token')
}

async function events(socket: AGServerSocket) {
  for await (const { code, reason } of socket.listener('disconnect')) {
    const text: string = `${code.toFixed()} ${reason.trim()}`
    void text
  }
  const { channel } = await socket.listener('subscribe').once()
  const { message } = await socket.listener('message').once()
  const name: string = channel
  const size: number = message.length
  void [name, size]
  // @ts-expect-error
  const { _channels } = await socket.listener('subscribe').once()
}

// @ts-expect-error: sockets are made by the server
void new AGServerSocket('id', null, null, 2)

void [receiving, sending, authentication, events]
