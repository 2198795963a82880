import Glibc
import HostProcess
import NIOCore

/// The reason why the server cannot listen on its address; one line.
public struct ListeningError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ listening: SigningServerConfiguration.Listening, _ error: IOError) {
        let place = listening.socket?.path ?? "\(listening.address):\(listening.port)"
        let advice =
            switch error.errnoCode {
            case EADDRINUSE: "stop the program that listens there, or choose another port in <Listen>"
            case EACCES: "a port below 1024 requires a privilege; choose another in <Listen>"
            case EADDRNOTAVAIL: "the address belongs to no interface of this machine; correct <Listen>"
            default: "correct <Listen>"
            }
        description = "cannot listen on \(place): \(String(cString: strerror(error.errnoCode))); \(advice)"
    }
}
