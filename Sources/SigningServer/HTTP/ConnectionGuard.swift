package import NIOCore
import NIOHTTPTypes

/// The time a client may take.
package struct ConnectionDeadlines: Sendable {
    /// Until the head of a first request is here, the TLS handshake included.
    package var head = TimeAmount.seconds(10)
    /// Between two requests.
    package var silence = TimeAmount.seconds(30)
    /// Until a body must have begun to arrive at ``slowestRate``.
    package var grace = TimeAmount.seconds(10)
    /// Octets a second of a body, on the average, counted while the server is ready to read.
    package var slowestRate = 32 << 10
    /// Until a body is here, whatever its rate.
    package var body = TimeAmount.minutes(20)
    /// From the end of a request to the end of its answer, with the client's reading of it.
    package var answer = TimeAmount.minutes(15)
    /// The time after a request to stop within which a body may still arrive and an answer may still be given.
    package var bodyAtStop = TimeAmount.seconds(2)
    package var answerAtStop = TimeAmount.seconds(7)

    package init() {}
}

/// Watches over one connection: closes it when its client is too slow, and tells the board what it is about.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let board: ConnectionBoard
    private let deadlines: ConnectionDeadlines
    private let listenerEnd: ListenerEnd
    private var phase = ConnectionBoard.Phase.silent
    private var since = NIODeadline.now()
    private var hasHadRequest = false
    /// Requests whose answer has not ended.
    private var open = 0
    private var isReceiving = false
    /// Octets of the present body.
    private var received = 0
    /// True if the server waits for octets: only then is silence the client's.
    private var isReading = false
    /// The time it has waited for the present body.
    private var waited = TimeAmount.zero
    /// The time at which the server was asked to stop.
    private var stop: NIODeadline?
    private var ticking: RepeatedTask?
    private var hasBegun = false

    /// Octets that are read at once: with the few buffers that wait in a pipeline, what a connection may cost.
    private static let readOctets = 16 << 10
    private static let tick = TimeAmount.milliseconds(500)

    init(_ board: ConnectionBoard, _ deadlines: ConnectionDeadlines, _ listenerEnd: ListenerEnd = ListenerEnd()) {
        self.board = board
        self.listenerEnd = listenerEnd
        self.deadlines = deadlines
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end(context) }

    func channelInactive(context: ChannelHandlerContext) {
        end(context)
        context.fireChannelInactive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard !hasBegun else { return }
        hasBegun = true
        since = .now()
        let buffers = FixedSizeRecvByteBufferAllocator(capacity: Self.readOctets)
        let channel = context.channel
        channel.setOption(.recvAllocator, value: buffers).whenFailure { _ in channel.close(promise: nil) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        ticking = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in
            let (guardian, context) = bound.value
            guardian.check(context)
        }
        board.add(context.channel, now: since)
    }

    private func end(_ context: ChannelHandlerContext) {
        ticking?.cancel()
        ticking = nil
        board.remove(context.channel)
    }

    // MARK: What comes and goes

    func read(context: ChannelHandlerContext) {
        isReading = true
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        context.fireChannelReadComplete()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            hasHadRequest = true
            open += 1
            isReceiving = true
            received = 0
            waited = .zero
        case .body(let octets):
            received += octets.readableBytes
            board.note(octets.readableBytes, from: context.channel)
        case .end: isReceiving = false
        }
        enterPhase(context)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { open -= 1 }
        enterPhase(context)
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, !listenerEnd.isRetired {
            stop = stop ?? .now()
            check(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func enterPhase(_ context: ChannelHandlerContext) {
        let present = isReceiving ? .receiving : open > 0 ? .answering : ConnectionBoard.Phase.silent
        guard present != phase else { return }
        phase = present
        since = .now()
        board.set(present, of: context.channel, now: since)
    }

    // MARK: Deadlines

    private func check(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        if phase == .receiving, isReading { waited = waited + Self.tick }
        if isOverdue(now) { context.close(promise: nil) }
    }

    private func isOverdue(_ now: NIODeadline) -> Bool {
        switch phase {
        case .silent:
            return stop != nil || now - since > (hasHadRequest ? deadlines.silence : deadlines.head)
        case .receiving:
            if let stop, now - stop > deadlines.bodyAtStop { return true }
            let allowed = deadlines.grace + .seconds(Int64(received / deadlines.slowestRate))
            return waited > allowed || now - since > deadlines.body
        case .answering:
            if let stop, now - stop > deadlines.answerAtStop { return true }
            return now - since > deadlines.answer
        }
    }
}
