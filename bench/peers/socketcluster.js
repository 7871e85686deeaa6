'use strict'

// socketcluster-server with its defaults. ECHO: answers calls.

const http = require('node:http')
const { attach } = require('socketcluster-server')
const { echo } = require('./echo')
const { ready } = require('./ready')

const httpServer = http.createServer()
const server = attach(httpServer)
if (process.env.ECHO) echo(server)
httpServer.listen(0, '127.0.0.1', () => ready(httpServer.address().port))
