import CLinux
import Glibc
import RelayLink

/// The one wait call of a gate: descriptors, times, and turns that are not over yet.
///
/// Concurrency: confined to the thread that made it, as is everything that is registered with it. A gate has
/// no other thread; `stop` from a handler ends `run`.
///
/// Edge-triggered: a connection that may not read, because its other side is full, leaves its bytes where
/// they are without being woken for them again and again.
package final class EventLoop {
    /// One registered descriptor. Cancelled before the descriptor is closed.
    package final class Watch {
        fileprivate let number: UInt64
        fileprivate let descriptor: Int32
        fileprivate var handler: ((Events) -> Void)?
        fileprivate weak var loop: EventLoop?

        fileprivate init(
            _ number: UInt64, _ descriptor: Int32, _ loop: EventLoop, _ handler: @escaping (Events) -> Void
        ) {
            self.number = number
            self.descriptor = descriptor
            self.loop = loop
            self.handler = handler
        }

        package func cancel() {
            guard handler != nil else { return }
            handler = nil
            loop?.forget(self)
        }
    }

    /// What happened to a descriptor.
    package struct Events: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Events(rawValue: EPOLLIN.rawValue)
        package static let writable = Events(rawValue: EPOLLOUT.rawValue)
        package static let ended = Events(
            rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue)
    }

    /// One thing that is to happen at a time, unless it is cancelled.
    package final class Timer {
        fileprivate let moment: Moment
        fileprivate var action: (() -> Void)?
        fileprivate init(_ moment: Moment, _ action: @escaping () -> Void) {
            self.moment = moment
            self.action = action
        }
        package func cancel() { action = nil }
    }

    private let descriptor: Int32
    private let ready: UnsafeMutablePointer<epoll_event>
    private static let batch = 64
    private var watches: [UInt64: Watch] = [:]
    private var nextNumber: UInt64 = 1
    private var timers = TimerQueue<Timer>()
    private var turns: [() -> Void] = []
    private var isStopped = false

    package init() throws(GateError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        if descriptor < 0 { throw .system("epoll_create1") }
        ready = .allocate(capacity: Self.batch)
    }

    deinit {
        ready.deallocate()
        _ = close(descriptor)
    }

    /// Calls `handler` at every change of the descriptor. Nothing when the descriptor is none that can be
    /// waited for: a file, /dev/null.
    package func watch(
        _ watched: Int32, _ events: Events = [.readable, .writable],
        _ handler: @escaping (Events) -> Void
    ) throws(GateError) -> Watch {
        let watch = Watch(nextNumber, watched, self, handler)
        nextNumber += 1
        let bits = events.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        var event = epoll_event(events: bits, data: epoll_data_t(u64: watch.number))
        if epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) != 0 { throw .system("epoll_ctl") }
        watches[watch.number] = watch
        return watch
    }

    private func forget(_ watch: Watch) {
        watches[watch.number] = nil
        _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, watch.descriptor, nil)
    }

    @discardableResult
    package func after(_ duration: Duration, _ action: @escaping () -> Void) -> Timer {
        let timer = Timer(.now + duration, action)
        timers.insert(timer, at: timer.moment)
        return timer
    }

    /// Calls `turn` once everything else that is ready has been seen to.
    package func again(_ turn: @escaping () -> Void) { turns.append(turn) }

    package func stop() { isStopped = true }

    package func run() {
        isStopped = false
        while !isStopped { step(waiting: true) }
    }

    /// One wait and all that came of it.
    package func step(waiting: Bool) {
        let now = Moment.now
        var patience: Int32 = waiting ? timers.first?.milliseconds(from: now) ?? -1 : 0
        if !turns.isEmpty { patience = 0 }
        let count = epoll_wait(descriptor, ready, Int32(Self.batch), patience)
        let due = turns
        turns.removeAll(keepingCapacity: true)
        for index in 0..<max(0, Int(count)) {
            // A handler of the same batch may have cancelled it: numbers are never used again.
            watches[ready[index].data.u64]?.handler?(Events(rawValue: ready[index].events))
        }
        for turn in due { turn() }
        let then = Moment.now
        while let timer = timers.takeFirst(before: then) { timer.action?() }
    }
}

/// Earliest first: a binary heap. What is cancelled stays until its time, and is skipped then.
struct TimerQueue<Element> {
    private var heap: [(moment: Moment, element: Element)] = []

    var first: Moment? { heap.first?.moment }

    mutating func insert(_ element: Element, at moment: Moment) {
        heap.append((moment, element))
        var child = heap.count - 1
        while child > 0, heap[child].moment < heap[(child - 1) / 2].moment {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func takeFirst(before now: Moment) -> Element? {
        guard let top = heap.first, top.moment <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].moment < heap[least].moment { least = child }
            }
            if least == parent { return top.element }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
