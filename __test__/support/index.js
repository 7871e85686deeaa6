'use strict'

// What nearly every test file needs, in one place.
module.exports = {
  ...require('./behaviour'),
  ...require('./events'),
  ...require('./server'),
  ...require('./raw-client'),
  subject: require('./subject'),
}
