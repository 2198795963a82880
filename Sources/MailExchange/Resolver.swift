import CAres
import Glibc

/// The answer of the DNS about a name.
enum Resolution<Value> {
    case found(Value)
    /// The name exists, but not with this.
    case nothing
    case noSuchName
    /// No answer, or none of use.
    case failed(String)
}

/// One c-ares channel, for the questions of one lookup. Not shared between threads.
final class Resolver {
    private let channel: ares_channel
    private let deadline: ContinuousClock.Instant

    private static let readiness = ares_library_init(ARES_LIB_INIT_ALL)
    /// For the first try of each server; c-ares makes later ones longer.
    private static let patience: Int32 = 3_000

    /// - Parameter servers: None: the system's, and its file of hosts.
    init(_ servers: [NameServer], until deadline: ContinuousClock.Instant) throws(MailExchangeError) {
        guard Self.readiness == 0 else { throw Self.fault("c-ares does not start", Self.readiness) }
        self.deadline = deadline
        var options = ares_options()
        // No search list and no aliases file: a domain of mail is always a whole name.
        options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES
        options.timeout = Self.patience
        options.tries = 3
        var mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
        let lookups = strdup("b")
        defer { free(lookups) }
        if !servers.isEmpty {
            options.lookups = lookups
            mask |= ARES_OPT_LOOKUPS
        }
        var channel: ares_channel?
        let status = ares_init_options(&channel, &options, mask)
        guard status == ARES_SUCCESS, let channel else { throw Self.fault("no DNS client", status) }
        self.channel = channel
        guard !servers.isEmpty else { return }
        let list = servers.map(\.description).joined(separator: ",")
        let outcome = ares_set_servers_ports_csv(channel, list)
        guard outcome == ARES_SUCCESS else { throw Self.fault("the DNS servers \(list) are not taken", outcome) }
    }

    deinit { ares_destroy(channel) }

    func mailExchanges(of domain: String, isInterrupted: () -> Bool) -> Resolution<[MailExchangeRecord]> {
        let question = Question<[MailExchangeRecord]>()
        ares_query(
            channel, domain, Int32(cares_class_internet), Int32(cares_type_mx),
            { context, status, _, octets, count in
                Question<[MailExchangeRecord]>.from(context).answer = Resolver.records(status, octets, count)
            }, Unmanaged.passUnretained(question).toOpaque())
        run(until: { question.answer != nil }, isInterrupted)
        return withExtendedLifetime(question) { question.answer ?? .failed("no answer") }
    }

    /// The addresses of each of `names`, asked for at the same time.
    func addresses(of names: [String], isInterrupted: () -> Bool) -> [Resolution<[String]>] {
        let questions = names.map { _ in Question<[String]>() }
        var hints = ares_addrinfo_hints()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        for (name, question) in zip(names, questions) {
            ares_getaddrinfo(
                channel, name, nil, &hints,
                { context, status, _, result in
                    Question<[String]>.from(context).answer = Resolver.addresses(status, result)
                    ares_freeaddrinfo(result)
                }, Unmanaged.passUnretained(question).toOpaque())
        }
        run(until: { questions.allSatisfy { $0.answer != nil } }, isInterrupted)
        return withExtendedLifetime(questions) { questions.map { $0.answer ?? .failed("no answer") } }
    }

    // MARK: - Waiting

    private func run(until isDone: () -> Bool, _ isInterrupted: () -> Bool) {
        while !isDone() {
            let left = deadline - .now
            guard left > .zero, !isInterrupted() else {
                // Each question left is answered with "cancelled" before this returns.
                ares_cancel(channel)
                return
            }
            var sockets = [ares_socket_t](repeating: -1, count: 16)
            let bits = ares_getsock(channel, &sockets, Int32(sockets.count))
            var states: [pollfd] = []
            for (index, socket) in sockets.enumerated() {
                var events: Int32 = 0
                if cares_reads(bits, Int32(index)) != 0 { events |= POLLIN }
                if cares_writes(bits, Int32(index)) != 0 { events |= POLLOUT }
                if events != 0 { states.append(pollfd(fd: socket, events: Int16(events), revents: 0)) }
            }
            var most = timeval(tv_sec: 0, tv_usec: 500_000)
            if left < .milliseconds(500) { most.tv_usec = Int(left / .microseconds(1)) }
            var wait = timeval()
            let chosen = ares_timeout(channel, &most, &wait)?.pointee ?? most
            let milliseconds = Int32(chosen.tv_sec * 1000 + chosen.tv_usec / 1000 + 1)
            guard poll(&states, nfds_t(states.count), milliseconds) > 0 else {
                ares_process_fd(channel, -1, -1)
                continue
            }
            for state in states where state.revents != 0 {
                let broken = Int32(state.revents) & (POLLERR | POLLHUP) != 0
                let reads = Int32(state.revents) & POLLIN != 0 || broken
                let writes = Int32(state.revents) & POLLOUT != 0
                ares_process_fd(channel, reads ? state.fd : -1, writes ? state.fd : -1)
            }
        }
    }

    /// The place where a callback leaves its answer.
    private final class Question<Value> {
        var answer: Resolution<Value>?

        static func from(_ context: UnsafeMutableRawPointer?) -> Question {
            guard let context else { preconditionFailure("c-ares called back without its context") }
            return Unmanaged<Question>.fromOpaque(context).takeUnretainedValue()
        }
    }

    // MARK: - Answers

    private static func records(
        _ status: Int32, _ octets: UnsafeMutablePointer<UInt8>?, _ count: Int32
    ) -> Resolution<[MailExchangeRecord]> {
        guard status == ARES_SUCCESS else { return resolution(status) }
        var list: UnsafeMutablePointer<ares_mx_reply>?
        let parsed = ares_parse_mx_reply(octets, count, &list)
        defer { if let list { ares_free_data(list) } }
        guard parsed == ARES_SUCCESS else { return resolution(parsed) }
        var records: [MailExchangeRecord] = []
        var next = list
        while let record = next?.pointee {
            let name = record.host.map { String(cString: $0) } ?? ""
            records.append(
                MailExchangeRecord(name: MailExchangeLookup.normalized(name), preference: Int(record.priority)))
            next = record.next
        }
        return records.isEmpty ? .nothing : .found(records)
    }

    private static func addresses(
        _ status: Int32, _ result: UnsafeMutablePointer<ares_addrinfo>?
    ) -> Resolution<[String]> {
        guard status == ARES_SUCCESS else { return resolution(status) }
        var addresses: [String] = []
        var next = result?.pointee.nodes
        while let node = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                node.ai_addr, node.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            {
                addresses.append(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            next = node.ai_next
        }
        return addresses.isEmpty ? .nothing : .found(addresses)
    }

    private static func resolution<Value>(_ status: Int32) -> Resolution<Value> {
        switch status {
        case ARES_ENODATA: .nothing
        case ARES_ENOTFOUND: .noSuchName
        case ARES_ECANCELLED: .failed("no answer in time")
        default: .failed(String(cString: ares_strerror(status)))
        }
    }

    private static func fault(_ what: String, _ status: Int32) -> MailExchangeError {
        .unanswered(.internal, "\(what): \(String(cString: ares_strerror(status)))")
    }
}
