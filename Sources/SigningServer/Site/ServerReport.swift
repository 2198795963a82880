import CurlTransfer
import FoundationEssentials
import Glibc
import HostProcess
public import Monitoring
import Octets

/// The state of a running server, as it tells it itself. The names of the JSON are kept.
public struct ServerReport: Codable, Sendable {
    /// Requests since the start.
    public struct Requests: Codable, Sendable, Hashable {
        public var signed = 0
        /// Whatever the verdict.
        public var verified = 0
        /// Answered with an error, or not understood.
        public var refused = 0
    }

    public var v = 1
    public let version: String
    /// The process id.
    public let process: Int32
    /// Unix seconds.
    public let since: Int
    /// The time at which the configuration in force was read, Unix seconds.
    public let configurationRead: Int
    public let requests: Requests
    public let certificates: [DatedCertificate]
    public let offers: [ServerOffer]
    public let reasons: [StatusReason]
}

extension ServerReport {
    /// The path at which a server tells its state.
    static let path = "/ses-dss/status"
    private static let maximumAnswer = 4 << 20

    /// Asks the server at an address.
    /// - Parameter address: As ``SigningServerConfiguration/address`` has it.
    /// - Returns: nil if none answers in this way within a second.
    public static func asked(at address: String) async -> ServerReport? {
        let receiver = AnswerCollecting()
        do throws(TransferError) {
            var settings = TransferSettings()
            settings.connectTimeout = .seconds(1)
            settings.totalTimeout = .seconds(1)
            settings.maximumAnswer = maximumAnswer
            let head = try await HTTPTransfers(settings).perform(
                HTTPRequest(url: String(address.dropLast()) + path, fields: [], body: nil), receiver: receiver)
            guard head.status == 200 else { return nil }
        } catch {
            return nil
        }
        // Another program may listen there.
        return try? JSONDecoder().decode(ServerReport.self, from: Data(receiver.octets.array))
    }
}
