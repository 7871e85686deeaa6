//! Scripts of packets and the commands they lead to.
