import Dispatch
import RelayLink

/// The events of everybody who follows the page: a report a second where something has changed, and now and then one
/// with the last ten minutes.
///
/// Concurrency: readers are on the server's queue; one task makes the reports while there are any.
final class EventFeed: @unchecked Sendable {
    private let source: any WebSource
    private let queue: DispatchQueue
    private var readers: [ObjectIdentifier: WebConnection] = [:]
    private var task: Task<Void, Never>?
    /// When the reports were begun anew for a newcomer.
    private var begun: ContinuousClock.Instant?
    private var isBeginDue = false

    init(source: any WebSource, queue: DispatchQueue) { (self.source, self.queue) = (source, queue) }

    func join(_ reader: WebConnection) {
        readers[ObjectIdentifier(reader)] = reader
        beginAnew()
        Task { [source] in await source.readerCame() }
    }

    /// A newcomer wants to know everything, and the others do not mind. Whoever comes and goes all the time gets no more of
    /// these long reports than the clock gives.
    private func beginAnew() {
        let rest = begun.map { ContinuousClock.now.duration(to: $0 + Tuning.pageEvery) } ?? .zero
        guard rest > .zero else {
            begun = .now
            task?.cancel()
            task = run()
            return
        }
        guard !isBeginDue else { return }
        isBeginDue = true
        queue.asyncAfter(deadline: .now() + rest.seconds) { [weak self] in
            guard let self else { return }
            isBeginDue = false
            if !readers.isEmpty { beginAnew() }
        }
    }

    func leave(_ id: ObjectIdentifier) {
        guard readers.removeValue(forKey: id) != nil else { return }
        Task { [source] in await source.readerLeft() }
        if readers.isEmpty { end() }
    }

    func end() {
        task?.cancel()
        task = nil
    }

    private func run() -> Task<Void, Never> {
        Task { [source, weak self] in
            var schedule = EventSchedule()
            while !Task.isCancelled {
                let report = await source.report(history: schedule.wantsHistory)
                guard !Task.isCancelled, let self else { return }
                if let event = schedule.event(for: report) { self.queue.async { self.push(event) } }
                try? await Task.sleep(for: Tuning.pageEvery)
            }
        }
    }

    private func push(_ event: [UInt8]) {
        for reader in readers.values { reader.push(event, isNews: event != EventSchedule.silent) }
    }
}
