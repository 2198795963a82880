import CCurl
import Glibc
import HostProcess
import Synchronization

/// A flag that is set when the task behind a request was cancelled.
final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    var value: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}

/// The one thread that drives all transfers, and the inbox through which others speak to it.
final class TransferLoop: Sendable {
    /// One exchange on its way to the thread.
    struct Job: Sendable {
        let id: UInt64
        let request: HTTPRequest
        let receiver: any HTTPAnswerReceiving
        /// Set when the request is cancelled, even before it comes here.
        let isCancelled: CancellationFlag
        let finish: @Sendable (Result<HTTPHead, TransferError>) -> Void
    }

    private struct Inbox {
        var jobs: [Job] = []
        var cancelled: [UInt64] = []
        var isStopping = false
        /// The multi handle while the thread lives; others may only wake it.
        var multi: MultiHandle?
        var waiters: [@Sendable () -> Void] = []
    }

    /// Unchecked: curl_multi_wakeup is the one call that libcurl allows from any thread; all others are the loop's.
    private struct MultiHandle: @unchecked Sendable {
        let raw: OpaquePointer
    }

    private let inbox = Mutex(Inbox())
    private let settings: TransferSettings

    init(_ settings: TransferSettings) throws(TransferError) {
        try CurlLibrary.prepare()
        guard let raw = ccurl_multi_init() else {
            throw TransferError(machineFault: Descriptors.shortage() ?? ENOMEM, "no transfers can be set up")
        }
        self.settings = settings
        guard ccurl_multi_set_long(raw, CURLMOPT_MAXCONNECTS, settings.maximumConnections) == CURLM_OK else {
            ccurl_multi_cleanup(raw)
            throw TransferError(.internal, "libcurl does not take a limit of connections")
        }
        let multi = MultiHandle(raw: raw)
        inbox.withLock { $0.multi = multi }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<TransferLoop>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard code == 0 else {
            Unmanaged.passUnretained(self).release()
            ccurl_multi_cleanup(raw)
            inbox.withLock { $0.multi = nil }
            throw TransferError(machineFault: code, "no thread for transfers")
        }
        pthread_detach(thread)
    }

    // MARK: - From any thread

    func submit(_ job: Job) {
        let isTaken = inbox.withLock { inbox in
            guard !inbox.isStopping, let multi = inbox.multi else { return false }
            inbox.jobs.append(job)
            ccurl_multi_wakeup(multi.raw)
            return true
        }
        if !isTaken { job.finish(.failure(TransferError(.cancelled, "transfers have been shut down"))) }
    }

    func cancel(_ id: UInt64) {
        inbox.withLock { inbox in
            guard let multi = inbox.multi else { return }
            inbox.cancelled.append(id)
            ccurl_multi_wakeup(multi.raw)
        }
    }

    /// Accepts no more requests; those under way are completed.
    /// - Parameter whenDone: Called when the thread is about to end.
    func stop(whenDone: (@Sendable () -> Void)?) {
        let isOver = inbox.withLock { inbox in
            inbox.isStopping = true
            guard let multi = inbox.multi else { return true }
            if let whenDone { inbox.waiters.append(whenDone) }
            ccurl_multi_wakeup(multi.raw)
            return false
        }
        if isOver { whenDone?() }
    }

    // MARK: - The thread

    private func run() {
        guard let multi = inbox.withLock({ $0.multi })?.raw else { return }
        var live: [OpaquePointer: Running] = [:]
        while true {
            let (jobs, cancelled, isStopping) = inbox.withLock { inbox in
                defer { (inbox.jobs, inbox.cancelled) = ([], []) }
                return (inbox.jobs, Set(inbox.cancelled), inbox.isStopping)
            }
            for job in jobs { start(job, on: multi, &live) }
            if !cancelled.isEmpty { end(cancelled, on: multi, &live) }
            var running: Int32 = 0
            let code = ccurl_multi_perform(multi, &running)
            if code == CURLM_OK { finishTransfers(on: multi, &live) } else { fail(code, on: multi, &live) }
            if isStopping, live.isEmpty { break }
            ccurl_multi_poll(multi, nil, 0, live.isEmpty ? 60_000 : 1000, nil)
        }
        let (waiters, left) = inbox.withLock { inbox in
            inbox.multi = nil
            return (inbox.waiters, inbox.jobs)
        }
        ccurl_multi_cleanup(multi)
        for job in left { job.finish(.failure(TransferError(.cancelled, "transfers have been shut down"))) }
        for waiter in waiters { waiter() }
    }

    private struct Running {
        let job: Job
        let transfer: Transfer
    }

    private func start(_ job: Job, on multi: OpaquePointer, _ live: inout [OpaquePointer: Running]) {
        do throws(TransferError) {
            guard !job.isCancelled.value else { throw TransferError.cancelled }
            let transfer = try Transfer(job.request, receiver: job.receiver, settings: settings)
            let code = ccurl_multi_add_handle(multi, transfer.handle.raw)
            guard code == CURLM_OK else { throw TransferError(.internal, String(cString: ccurl_multi_strerror(code))) }
            live[transfer.handle.raw] = Running(job: job, transfer: transfer)
        } catch {
            job.finish(.failure(error))
        }
    }

    private func end(_ ids: Set<UInt64>, on multi: OpaquePointer, _ live: inout [OpaquePointer: Running]) {
        for (raw, running) in live where ids.contains(running.job.id) {
            ccurl_multi_remove_handle(multi, raw)
            live[raw] = nil
            running.job.finish(.failure(TransferError.cancelled))
        }
    }

    private func finishTransfers(on multi: OpaquePointer, _ live: inout [OpaquePointer: Running]) {
        var left: Int32 = 0
        while let message = ccurl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let raw = message.pointee.easy_handle else { continue }
            // The message is gone once its handle is removed.
            let code = ccurl_result(message)
            let running = live.removeValue(forKey: raw)
            let result = running?.transfer.result(code)
            ccurl_multi_remove_handle(multi, raw)
            if let running, let result { running.job.finish(result) }
        }
    }

    /// The multi handle itself failed: none of its transfers can be completed.
    private func fail(_ code: CURLMcode, on multi: OpaquePointer, _ live: inout [OpaquePointer: Running]) {
        let error = TransferError(.internal, String(cString: ccurl_multi_strerror(code)))
        for (raw, running) in live {
            ccurl_multi_remove_handle(multi, raw)
            running.job.finish(.failure(error))
        }
        live = [:]
    }
}
