import Glibc
import Logging
import NIOCore

/// Watches over the socket that listens: rests when there are no descriptors to be had, and sees to a stop in time.
final class AcceptGuard: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let board: ConnectionBoard
    private let logger: Logger
    private let onStop: @Sendable () -> Void
    private var pause = AcceptGuard.shortestPause
    private var isResting = false
    /// The number of times nothing could be accepted since it was last told.
    private var failures = 0
    private var lastTold: NIODeadline?

    private static let shortestPause = TimeAmount.milliseconds(20)
    private static let maximumPause = TimeAmount.milliseconds(500)

    /// - Parameter onStop: Called when the server is asked to stop.
    init(_ board: ConnectionBoard, logger: Logger, onStop: @escaping @Sendable () -> Void) {
        self.board = board
        self.logger = logger
        self.onStop = onStop
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pause = Self.shortestPause
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            context.fireErrorCaught(error)
            return
        }
        tell(error)
        board.makeRoom(now: .now())
        guard !isResting else { return }
        isResting = true
        let channel = context.channel
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        // The connection that waits would be tried again at once, and for ever.
        channel.setOption(.autoRead, value: false).whenComplete { _ in bound.value.wake(channel) }
    }

    private func wake(_ channel: any Channel) {
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.eventLoop.scheduleTask(in: pause) {
            bound.value.isResting = false
            channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
        }
        pause = min(pause + pause, Self.maximumPause)
    }

    /// Once in ten seconds at most.
    private func tell(_ error: IOError) {
        failures += 1
        let now = NIODeadline.now()
        if let lastTold, now - lastTold < .seconds(10) { return }
        lastTold = now
        logger.warning(
            "connections cannot be accepted; others are closed for them. Raise LimitNOFILE if this continues",
            metadata: ["times": "\(failures)", "reason": "\(String(cString: strerror(error.errnoCode)))"])
        failures = 0
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { onStop() }
        context.fireUserInboundEventTriggered(event)
    }
}
