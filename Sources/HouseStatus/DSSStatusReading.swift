import Foundation
import HostProcess
import Monitoring

/// The part of `ses-dss status --json` that the status of a house shows.
struct DSSStatusReading: Decodable {
    let reasons: [StatusReason]
    let certificates: [DatedCertificate]?
    let offers: [ServerOffering]?

    /// A running `ses-dss status`. It works beside the survey of the spool.
    final class Child {
        private let process = Process()
        private let output = Pipe()

        /// The time in seconds that the status waits for it at most.
        private static let patience = 3.0

        /// Nil if there is no such program beside this one or in the usual place.
        init?(configuration: String) {
            let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
            let beside = URL(fileURLWithPath: own).deletingLastPathComponent().path + "/ses-dss"
            guard let program = [beside, "/usr/bin/ses-dss"].first(where: FileManager.default.isExecutableFile) else {
                return nil
            }
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["status", "--json", "--config", configuration]
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            process.standardInput = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return nil }
            let process = process
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) { process.terminate() }
        }

        /// Waits for its end; nil if it says nothing that is understood.
        func reading() -> DSSStatusReading? {
            let octets = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return try? JSONDecoder().decode(DSSStatusReading.self, from: octets)
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
