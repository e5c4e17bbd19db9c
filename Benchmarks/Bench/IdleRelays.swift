import CZMQ
import FakeJupyter
import Glibc

/// What many relays in one process cost while nothing happens: private memory and processor time.
///
/// Each relay has a kernel's five sockets behind it and a client's five in front, and has passed a request and its
/// reply. The sockets are plain ones of this process. Only the kernels' heartbeats are served, as kernels do: a relay asks
/// for one every 1.8 seconds, of two hundred at rest every five, and what that costs it is part of what is measured.
struct IdleRelays {
    let places: Places
    let seconds: Double

    struct Cost {
        var bytes: Double
        var processorShare: Double
    }

    private func measure(_ count: Int) throws -> Cost {
        guard let context = zmq_ctx_new() else { throw BenchError.zmq("zmq_ctx_new") }
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, Int32(10 * count + 64))
        var sockets: [RawSocket] = []
        defer {
            for socket in sockets { zmq_close(socket) }
            zmq_ctx_term(context)
        }
        func open(_ kind: Int32) throws -> RawSocket {
            let socket = try Wire.socket(context, kind)
            sockets.append(socket)
            Wire.set(socket, ZMQ_RCVTIMEO, 20_000)
            return socket
        }

        var arguments: [String] = []
        var fronts: [PeerAddress] = []
        var kernels: [RawSocket] = []
        var heartbeats: [RawSocket] = []
        for index in 0..<count {
            let back = try PeerAddress.loopback(key: Lane.kernelKey)
            let front = try PeerAddress.loopback(key: Lane.clientKey)
            for channel in PeerChannel.allCases {
                let socket = try open(channel == .iopub ? ZMQ_XPUB : ZMQ_ROUTER)
                try Wire.bind(socket, back.endpoint(channel))
                if channel == .shell { kernels.append(socket) }
                if channel == .hb { heartbeats.append(socket) }
            }
            let files = ["\(places.work)/idle-\(index)-front.json", "\(places.work)/idle-\(index)-back.json"]
            try front.write(to: files[0])
            try back.write(to: files[1])
            arguments += files
            fronts.append(front)
        }
        let child = try ChildProcess("\(Places.products)/embedded-relay", ["--until-eof"] + arguments)
        defer { child.end() }
        try child.awaitLine("relaying", milliseconds: 30_000)

        let served = heartbeats
        let isOver = Flag()
        let echo = BenchThread {
            let scratch = Scratch()
            var items = served.map {
                zmq_pollitem_t(socket: $0, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
            }
            while !isOver.isSet {
                guard zmq_poll(&items, Int32(items.count), 100) > 0 else { continue }
                for item in items where item.revents != 0 {
                    if let socket = item.socket { while Wire.echo(socket, scratch.message) {} }
                }
            }
        }
        let cost = Result { try measure(child, fronts, kernels, open) }
        isOver.set()
        echo.join()
        return try cost.get()
    }

    private func measure(
        _ child: ChildProcess, _ fronts: [PeerAddress], _ kernels: [RawSocket],
        _ open: (Int32) throws -> RawSocket
    ) throws -> Cost {
        let count = kernels.count
        let requests = MessagePool(count: 1, key: Lane.clientKey, total: 200)
        let scratch = Scratch()
        for (front, kernel) in zip(fronts, kernels) {
            var shell: RawSocket?
            for channel in PeerChannel.allCases {
                let kind = channel == .iopub ? ZMQ_SUB : channel == .hb ? ZMQ_REQ : ZMQ_DEALER
                let socket = try open(kind)
                if kind == ZMQ_SUB { zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) }
                try Wire.connect(socket, front.endpoint(channel))
                if channel == .shell { shell = socket }
            }
            guard let shell, requests.send(0, on: shell, scratch.message),
                Wire.isReadable(kernel, milliseconds: 20_000)
            else { throw BenchError("a request did not come through one of \(count) relays") }
            _ = Wire.echo(kernel, scratch.message)
            guard Wire.isReadable(shell, milliseconds: 20_000) else {
                throw BenchError("a reply did not come through one of \(count) relays")
            }
        }

        // Kernels come to rest some seconds after they were asked anything: then the quiet that is to be measured.
        poll(nil, 0, 8000)
        let before = child.processorSeconds
        let start = Wire.now()
        poll(nil, 0, Int32(seconds * 1000))
        let share = (child.processorSeconds - before) / (Wire.now() - start)
        return Cost(bytes: child.privateBytes, processorShare: share)
    }

    /// What the first relay costs includes the process itself, so the others are counted from there.
    func run(_ results: inout Results) throws {
        let relay = Contestant.relay.rawValue
        let one = try measure(1)
        results.add("memory of the process with 1 idle relay", .megabytes, relay, one.bytes / 1e6)
        results.add("processor, 1 idle relay", .percentOfCore, relay, one.processorShare * 100)
        for count in [30, 200] {
            let cost = try measure(count)
            let each = (cost.bytes - one.bytes) / Double(count - 1)
            results.add("memory of each of \(count) idle relays", .megabytes, relay, each / 1e6)
            results.add("processor, \(count) idle relays", .percentOfCore, relay, cost.processorShare * 100)
        }
    }
}
