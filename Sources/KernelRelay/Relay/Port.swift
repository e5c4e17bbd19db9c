import CZMQ

/// One socket of a relay with its monitor, in front or behind.
///
/// Concurrency: confined to the relay's thread, like the sockets in it.
final class Port {
    private let watched: MonitoredSocket
    let descriptor: Int32
    let monitorDescriptor: Int32
    /// The socket's file, which is ours to remove.
    private let file: UnixListener?

    private init(_ watched: consuming MonitoredSocket, file: UnixListener? = nil) throws(RelayError) {
        self.file = file
        descriptor = try watched.socket.descriptor()
        monitorDescriptor = try watched.monitorDescriptor()
        self.watched = watched
    }

    var handle: SocketHandle { watched.socket.handle }

    /// How long closing may wait for a slow peer.
    func linger(milliseconds: Int32) { try? watched.socket.set(ZMQ_LINGER, milliseconds) }

    /// The next thing that libzmq reports of this socket's connections.
    func nextEvent() -> MonitoredSocket.Event? { watched.nextEvent() }

    /// A socket bound where the notebook looks for the kernel.
    static func front(
        _ channel: Channel, _ info: ConnectionInfo, in context: borrowing Context
    ) throws(RelayError) -> Port {
        let watched = try MonitoredSocket(channel == .iopub ? .xpub : .router, in: context)
        try configureFront(watched.socket, channel, info)
        var file: UnixListener?
        if info.transport == .ipc {
            let listener = try UnixListener(info.ipcPath(channel))
            try watched.socket.set(ZMQ_USE_FD, listener.descriptor)
            file = listener
        }
        try watched.socket.bind(info.endpoint(channel))
        // From here on libzmq closes the descriptor.
        file?.handOver()
        return try Port(watched, file: file)
    }

    private static func configureFront(
        _ socket: borrowing Socket, _ channel: Channel, _ info: ConnectionInfo
    ) throws(RelayError) {
        try limit(socket)
        if Endpoint.isIPv6(info.endpoint(channel)) { try socket.set(ZMQ_IPV6, 1) }
        try socket.set(ZMQ_LINGER, Tuning.farewellMilliseconds)
        if channel == .iopub {
            // Refuse instead of dropping; and tell of every subscription, not only of a topic's first.
            try socket.set(ZMQ_XPUB_NODROP, 1)
            try socket.set(ZMQ_XPUB_VERBOSE, 1)
            try socket.set(ZMQ_MAXMSGSIZE, wide: Tuning.largestSubscription)
        } else {
            // Refuse instead of dropping; and a client that comes back under its name is the same client.
            try socket.set(ZMQ_ROUTER_MANDATORY, 1)
            try socket.set(ZMQ_ROUTER_HANDOVER, 1)
            if channel == .hb { try socket.set(ZMQ_MAXMSGSIZE, wide: Tuning.largestHeartbeat) }
        }
        if let curve = info.curve {
            do throws(RelayError) {
                try socket.set(ZMQ_CURVE_SERVER, 1)
                try socket.set(ZMQ_CURVE_SECRETKEY, curve.secretKey)
            } catch {
                throw RelayError(.connectionCurve, "front", cause: error.cause)
            }
        }
    }

    /// A socket connected to the kernel, for one attempt.
    ///
    /// - Parameter identity: what the kernel's ROUTERs call this attempt. Shell and stdin must share it: the
    ///   kernel asks its questions under the name that the request came from.
    static func back(
        _ channel: Channel, _ kernel: KernelAddress, identity: String, in context: borrowing Context
    ) throws(RelayError) -> Port {
        let watched = try MonitoredSocket(channel == .iopub ? .xsub : .dealer, in: context)
        try configureBack(watched.socket, channel, kernel, identity: identity)
        try watched.socket.connect(kernel.endpoint(channel))
        if channel == .iopub { try subscribeToAll(watched.socket) }
        return try Port(watched)
    }

    private static func configureBack(
        _ socket: borrowing Socket, _ channel: Channel, _ kernel: KernelAddress, identity: String
    ) throws(RelayError) {
        try limit(socket)
        try configureAttempt(socket, at: kernel.endpoint(channel))
        if channel != .iopub { try socket.set(ZMQ_ROUTING_ID, identity) }
        if let credentials = kernel.credentials {
            try socket.log(in: credentials, on: channel)
        } else if let curve = kernel.curve {
            try encrypt(socket, to: curve)
        }
    }

    /// A connection that is tried once.
    private static func configureAttempt(_ socket: borrowing Socket, at endpoint: String) throws(RelayError) {
        if Endpoint.isIPv6(endpoint) { try socket.set(ZMQ_IPV6, 1) }
        try socket.set(ZMQ_LINGER, 0)
        // libzmq must not find the kernel again by itself: it would hand the new one what was queued for
        // the old. An hour, because the socket is replaced long before.
        try socket.set(ZMQ_RECONNECT_IVL, 3_600_000)
        try socket.set(ZMQ_CONNECT_TIMEOUT, 5000)
        try socket.set(ZMQ_HANDSHAKE_IVL, 10000)
    }

    /// A socket that is connected only to see who answers: as a client's heartbeat would be.
    static func probe(
        _ endpoint: String, _ credentials: GateCredentials?, in context: borrowing Context
    ) throws(RelayError) -> Port {
        let watched = try MonitoredSocket(.dealer, in: context)
        try configureAttempt(watched.socket, at: endpoint)
        if let credentials { try watched.socket.log(in: credentials, on: .hb) }
        try watched.socket.connect(endpoint)
        return try Port(watched)
    }

    private static func limit(_ socket: borrowing Socket) throws(RelayError) {
        try socket.set(ZMQ_SNDHWM, Tuning.pipeDepth)
        try socket.set(ZMQ_RCVHWM, Tuning.pipeDepth)
        try socket.set(ZMQ_MAXMSGSIZE, wide: Tuning.largestFrame)
        // A peer whose host has vanished is noticed within two minutes; one that is merely slow is not cut off.
        try socket.set(ZMQ_TCP_KEEPALIVE, 1)
        try socket.set(ZMQ_TCP_KEEPALIVE_IDLE, 60)
        try socket.set(ZMQ_TCP_KEEPALIVE_INTVL, 10)
        try socket.set(ZMQ_TCP_KEEPALIVE_CNT, 6)
    }

    private static func encrypt(_ socket: borrowing Socket, to keys: ConnectionInfo.CurveKeys)
        throws(RelayError)
    {
        var mine = [CChar](repeating: 0, count: 41)
        var secret = mine
        guard zmq_curve_keypair(&mine, &secret) == 0 else { throw .zmq("zmq_curve_keypair") }
        do throws(RelayError) {
            try socket.set(ZMQ_CURVE_SERVERKEY, keys.publicKey)
            try socket.set(ZMQ_CURVE_PUBLICKEY, String(z85: mine))
            try socket.set(ZMQ_CURVE_SECRETKEY, String(z85: secret))
        } catch {
            throw RelayError(.connectionCurve, "back", cause: error.cause)
        }
    }

    private static func subscribeToAll(_ socket: borrowing Socket) throws(RelayError) {
        var everything: UInt8 = 1
        if zmq_send(socket.handle, &everything, 1, 0) < 0 { throw .zmq("subscribe") }
    }
}

extension Socket {
    /// Opens this socket's connections with the PLAIN mechanism, as a gate wants it.
    func log(in credentials: GateCredentials, on channel: Channel) throws(RelayError) {
        try set(ZMQ_PLAIN_USERNAME, "\(credentials.kernel)/\(channel.rawValue)")
        try set(ZMQ_PLAIN_PASSWORD, credentials.token)
    }
}

extension String {
    fileprivate init(z85 characters: [CChar]) {
        self.init(decoding: characters.prefix(40).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
