import CLinux
import Dispatch
import Glibc
import RelayLink

/// The page, the figures and the events, for who reads them by HTTP.
///
/// Concurrency: connections and everything of theirs are on the server's own queue; what they ask for is made by tasks,
/// which relayd's actors serve between their other work. While nobody reads nothing is made.
package final class WebServer: @unchecked Sendable {
    private static let metricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    package let address: WebAddress
    private let token: WebToken?
    private let source: any WebSource
    private let door: WebGuard
    private let queue = DispatchQueue(label: "kr-page")
    private let accepting: any DispatchSourceRead
    private let feed: EventFeed
    private let limits: WebPatience

    // On the queue alone:
    private var connections: [ObjectIdentifier: WebConnection] = [:]
    private var isClosed = false

    /// Listens. Off loopback a token is drawn.
    package init(
        _ wanted: WebAddress, source: any WebSource, limits: WebPatience = .init()
    ) throws(RelayError) {
        self.limits = limits
        let listener = try TCPListener(wanted)
        address = listener.address
        token = address.isLoopback ? nil : .random()
        door = WebGuard(address, token: token)
        self.source = source
        feed = EventFeed(source: source, queue: queue)
        accepting = DispatchSource.makeReadSource(fileDescriptor: listener.descriptor, queue: queue)
        accepting.setCancelHandler { Glibc.close(listener.descriptor) }
        accepting.setEventHandler { [weak self] in self?.accept(listener.descriptor) }
        accepting.resume()
    }

    /// Without the token: this may be shown to anybody.
    package var url: String {
        // 0.0.0.0 is no address to go to.
        let host = address.isAny ? TCPListener.machine : address.literal
        return "http://\(host.isEmpty ? address.literal : host):\(address.port)/"
    }

    /// For this user alone.
    package var wholeURL: String { token.map { "\(url)?token=\($0.text)" } ?? url }

    /// Whether this is the place that somebody means; port 0 means any.
    package func isAt(_ wanted: WebAddress) -> Bool {
        wanted.literal == address.literal && (wanted.port == address.port || wanted.port == 0)
    }

    private func accept(_ listener: Int32) {
        while !isClosed {
            let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let descriptor = accept4(listener, nil, nil, flags)
            if descriptor < 0 {
                // Without descriptors the caller would be asked about again at once, for ever.
                if errno == EMFILE || errno == ENFILE { rest() }
                return
            }
            // To refuse takes descriptors too, and a while: so many may be waiting to be told.
            if connections.count >= 2 * Tuning.pageReaders {
                Glibc.close(descriptor)
                continue
            }
            let connection = WebConnection(descriptor, on: queue, limits: limits)
            let id = ObjectIdentifier(connection)
            let isOneTooMany = connections.count >= Tuning.pageReaders
            connections[id] = connection
            connection.onClose = { [weak self] in
                self?.connections[id] = nil
                self?.feed.leave(id)
            }
            connection.onRequest = { [weak self, unowned connection] in self?.serve($0, on: connection) }
            connection.start()
            if isOneTooMany { connection.refuse(.tooMany) }
        }
    }

    private func rest() {
        accepting.suspend()
        queue.asyncAfter(deadline: .now() + .microseconds(Int(Tuning.acceptPauseMicroseconds))) { [self] in
            accepting.resume()
        }
    }

    private func serve(_ request: HTTPRequest, on connection: WebConnection) {
        do throws(HTTPRefusal) {
            try door.check(request)
            switch request.path {
            case "/": connection.answer(StatusPage.response(), headOnly: request.isHead)
            case "/metrics":
                make(connection, request) { source in
                    WebResponse(type: Self.metricsType, body: Array(await source.metrics().utf8))
                }
            case "/status.json":
                make(connection, request) { source in
                    WebResponse(type: "application/json", body: await source.report(history: true).encoded)
                }
            case "/events":
                let response = WebResponse(type: "text/event-stream", body: nil)
                if request.isHead { return connection.answer(response, headOnly: true) }
                // In this order: a reader that has hung up is closed by what it cannot be sent, and then leaves.
                feed.join(connection)
                connection.stream(response)
            default: throw .notFound
            }
        } catch {
            connection.refuse(error)
        }
    }

    private func make(
        _ connection: WebConnection, _ request: HTTPRequest,
        _ response: @escaping @Sendable (any WebSource) async -> WebResponse
    ) {
        Task { [source, queue] in
            let made = await response(source)
            queue.async { connection.answer(made, headOnly: request.isHead) }
        }
    }

    /// Takes no more connections and ends those that there are; when it returns the port is free, or about to be.
    package func close() {
        queue.sync {
            guard !isClosed else { return }
            isClosed = true
            accepting.cancel()
            feed.end()
            for connection in connections.values { connection.close() }
        }
    }
}
