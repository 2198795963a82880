import HostProcess

/// The shares of connections, scratch files and workers in the descriptors of the process.
struct DescriptorPlan: Sendable, Hashable {
    /// Connections that may be open at a time.
    var connections: Int
    /// Documents and requests that may wait in files at a time.
    var files: Int
    /// Requests that are worked on at a time.
    var workers: Int

    /// The most connections, if there are descriptors for so many.
    static let maximumConnections = 256
    static let minimumConnections = 4
    /// Connections beyond the limit that are accepted before another has given way.
    static let surplus = 8
    /// At most so many are accepted in one step, without a look at the limit (NIO's maxMessagesPerRead).
    private static let acceptedAtOnce = 4
    private static let minimumWorkers = 4
    /// A worker's scratch files, its connection to a timestamp authority or responder, and the look-up of its name.
    private static let filesOfWorker = 2
    private static let callsOfWorker = 4
    /// libdispatch (epoll, eventfd, three timers, a file of `/proc`), signals, the socket that listens, libcurl, fonts,
    /// and files of the configuration when it is read again.
    private static let others = 28

    /// - Parameters:
    ///   - limit: The number of descriptors that the system allows.
    ///   - open: Those that are open at the start.
    ///   - processors: The number of processors; each has an event loop.
    /// - Throws: ``DescriptorShortage`` if they do not suffice for the fewest connections.
    init(limit: Int, open: Int, processors: Int) throws(DescriptorShortage) {
        let fixed = Self.fixed(open: open, processors: processors)
        workers = max(8, min(2 * processors, 32))
        if Self.connections(limit - fixed, workers) < 32 { workers = Self.minimumWorkers }
        connections = min(Self.connections(limit - fixed, workers), Self.maximumConnections)
        files = connections + workers * Self.filesOfWorker
        guard connections >= Self.minimumConnections else {
            let needed = fixed + Self.minimumWorkers * Self.descriptorsOfWorker + 2 * Self.minimumConnections
            throw DescriptorShortage(limit: limit, needed: needed)
        }
    }

    /// Makes the plan for this process; raises the soft limit of descriptors as far as the system allows.
    static func make(processors: Int) throws(DescriptorShortage) -> DescriptorPlan {
        let open = try Descriptors.countOpen()
        let most = max(8, min(2 * processors, 32)) * descriptorsOfWorker + 2 * maximumConnections
        let limit = Descriptors.raiseLimit(to: fixed(open: open, processors: processors) + most)
        return try DescriptorPlan(limit: limit, open: open, processors: processors)
    }

    private static let descriptorsOfWorker = filesOfWorker + callsOfWorker

    /// Each event loop has an epoll(7), an eventfd(2) and a timerfd_create(2).
    private static func fixed(open: Int, processors: Int) -> Int {
        open + 3 * processors + others + surplus + acceptedAtOnce
    }

    /// One descriptor for the connection, one for the file in which its request waits.
    private static func connections(_ room: Int, _ workers: Int) -> Int {
        (room - workers * descriptorsOfWorker) / 2
    }
}
