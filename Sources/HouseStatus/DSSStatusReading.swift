import FoundationEssentials
import Glibc
import HostProcess
import Monitoring

/// The part of `ses-dss status --json` that the status of a house shows.
struct DSSStatusReading: Decodable {
    let reasons: [StatusReason]
    /// `server` if the running server told it, `files` if it was read from its files.
    let source: String?
    let certificates: [DatedCertificate]?
    let offers: [ServerOffering]?

    /// A running `ses-dss status`. It works beside the survey of the spool.
    final class Child {
        private let program: StartedProgram
        private let output: CInt
        private let deadline: ContinuousClock.Instant
        private let acceptsFiles: Bool

        /// The time that the status waits for it at most.
        private static let patience = Duration.seconds(3)

        /// Nil if there is no such program beside this one or in the usual place.
        /// - Parameter acceptsFiles: False for a reading of the running server alone.
        init?(configuration: String, acceptsFiles: Bool = true) {
            self.acceptsFiles = acceptsFiles
            guard let path = ProgramStart.path(of: "ses-dss"), let ends = try? ProgramStart.makePipe() else {
                return nil
            }
            defer { close(ends.writing) }
            var start = ProgramStart(
                [path, "status", "--json", "--config", configuration], environment: ProcessInfo.processInfo.environment)
            start.output = .descriptor(ends.writing)
            guard let pid = try? start.spawn() else {
                close(ends.reading)
                return nil
            }
            program = StartedProgram(pid)
            output = ends.reading
            deadline = .now + Self.patience
        }

        deinit {
            close(output)
            end()
        }

        /// Waits for its end; nil if it says nothing that is understood.
        func reading() -> DSSStatusReading? {
            var octets: [UInt8] = []
            while true {
                let left = max(.zero, ContinuousClock.now.duration(to: deadline)) / .milliseconds(1)
                var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
                let ready = poll(&wanted, 1, CInt(left))
                if ready < 0 && errno == EINTR { continue }
                guard ready > 0, DescriptorIO.readMore(output, into: &octets) > 0 else { break }
            }
            end()
            let reading = try? JSONDecoder().decode(DSSStatusReading.self, from: Data(octets))
            return acceptsFiles || reading?.source == "server" ? reading : nil
        }

        /// It holds nothing that an abrupt end could harm.
        private func end() {
            program.signal(SIGKILL)
            program.wait()
        }
    }
}

/// The things that the embedded server lets one client ask for.
package struct ServerOffering: Decodable, Sendable {
    package struct Profile: Decodable, Sendable {
        package let id: String
        /// `smime`, `cms`, `pdf`, `xml` or `auto`.
        package let format: String
    }

    /// The id of the client.
    package let client: String
    package let signingProfiles: [Profile]
    package let verificationProfiles: [String]
    package let keys: [String]

    /// The offer of the server on this machine that `addresses` lead to; nil if there is none, or it may not be asked.
    /// - Parameters:
    ///   - configuration: The path of its `dss.xml`; nil to look beside the socket.
    ///   - client: The id of the client.
    package static func made(
        at addresses: [String], to client: String, configuration: String? = nil
    ) -> ServerOffering? {
        let beside = addresses.compactMap(LocalSocket.unixPath).map { SmallFile.directory(of: $0) + "/dss.xml" }
        guard
            let path = (configuration.map { [$0] } ?? beside).first(where: {
                FileManager.default.isReadableFile(atPath: $0)
            })
        else { return nil }
        return DSSStatusReading.Child(configuration: path)?.reading()?.offers?.first { $0.client == client }
    }
}
