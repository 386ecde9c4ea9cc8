"""HTTP and WebSocket endpoints: read the request, call one service, answer."""
