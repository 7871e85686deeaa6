import * as client from 'es-networkcluster/client'
import { AGClientSocket, create, version } from 'es-networkcluster/client'

async function use() {
  const socket: AGClientSocket = create({
    hostname: 'localhost',
    port: 8000,
    autoReconnectOptions: { initialDelay: 100, multiplier: 2 },
    query: { room: 'a' },
  })
  await socket.listener('connect').once(1000)
  for await (const { error } of socket.listener('error')) void error.message
  for await (const { text } of socket.subscribe<{ text: string }>('chat', { priority: 1 })) {
    void text.length
  }
  const result: number = await socket.invoke<number>('double', 21, { ackTimeout: 100 })
  await socket.transmit('event')
  for await (const request of socket.procedure('ask')) request.end(socket.id)
  await socket.channel('chat').invokePublish('hello')
  const { channel, newChannelState } = await socket.listener('subscribeStateChange').once()
  if (newChannelState === 'subscribed') void channel.length
  socket.disconnect(1000, 'bye')
  void [result, version.length, client.factory]
  // @ts-expect-error
  create({ port: true })
  // @ts-expect-error
  create({ hostnam: 'localhost' })
  // @ts-expect-error
  socket.subscribe('chat', { waitForAuth: 'yes' })
  // @ts-expect-error
  const { _nothing } = await socket.listener('connect').once()
}

void use
