"""SQL tables made from blocks, the projector that makes them, and the queries over them."""
