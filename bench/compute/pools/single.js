'use strict'

const { burn } = require('./tasks')

const MAPS = {
  double: (items) => items.map((item) => item * 2),
  burn: (items) => items.map(burn),
}

module.exports = async () => ({ map: async (task, items) => MAPS[task](items) })
