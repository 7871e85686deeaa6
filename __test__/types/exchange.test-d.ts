import { AGServer } from 'es-networkcluster'
import type { AGChannel, Broker, Exchange } from 'es-networkcluster'
import ServerClass = require('es-networkcluster/server')
import SocketClass = require('es-networkcluster/serversocket')

async function exchange(server: AGServer) {
  const news: AGChannel<{ id: number }, Exchange> = server.exchange.subscribe('news')
  for await (const { id } of news) void id.toFixed()
  await news.listener('subscribe').once()
  await server.exchange.invokePublish('news', { id: 1 })
  await news.transmitPublish({ id: 2 })
  const names: string[] = server.exchange.subscriptions(true)
  const { channel } = await server.exchange.listener('unsubscribe').once()
  if (news.state === news.SUBSCRIBED) news.kill()
  const consumers: number = server.exchange.channelGetOutputConsumerStatsList('news').length
  void [names, channel.length, consumers]
  // @ts-expect-error
  news.state = 'pending'
  // @ts-expect-error
  if (news.state === 'closed') return
  // @ts-expect-error
  await server.exchange.transmitPublish()
}

async function broker(broker: Broker) {
  const original = broker.unsubscribeSocket
  broker.unsubscribeSocket = async function (socket, channelName) {
    await original.call(this, socket, channelName)
  }
  for await (const { channel, data } of broker.listener('publish')) void [channel.length, data]
  await broker.transmitPublish('news', 1, true)
  await broker.subscribeClient({ id: 'own', transmit: (event) => event.length }, 'news')
  // @ts-expect-error
  await broker.subscribeClient({ id: 'own' }, 'news')
  // @ts-expect-error
  broker.invokePublish = 1
}

const sameClass: typeof AGServer = ServerClass
const open: 'open' = SocketClass.OPEN

void [exchange, broker, sameClass, open]
