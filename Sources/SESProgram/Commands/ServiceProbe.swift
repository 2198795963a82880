import HostProcess
import DSSClient
import DSSProtocol
import Foundation
import Octets
import Processing
import ProgramLife
import SESConfiguration

/// Calls each address once with a document that is not a message, to see whether a signing server answers there (`ses
/// check --probe`).
enum ServiceProbe {
    /// - Returns: A sentence for each address that does not answer as a signing server does.
    static func failures(of server: SESSettings) async -> [String] {
        var failures: [String] = []
        for address in server.signing?.all ?? [] {
            await failures += call(address, server) { configuration, address in
                configuration.signing = .init(primary: address, secondary: nil)
            } with: { (client) throws(Failure) in
                _ = try await client.sign(
                    SigningOperation(
                        kind: .email, document: OctetString("Content-Type: text/plain\r\n\r\nprobe\r\n"), profile: nil,
                        keyAlias: nil, attributes: [], originatorID: server.originatorID,
                        requestID: "SES-" + UUID().uuidString), answers: MemoryCollecting(limit: 1 << 20))
            }
        }
        for address in server.verification?.all ?? [] {
            await failures += call(address, server) { configuration, address in
                configuration.verification = .init(primary: address, secondary: nil)
            } with: { (client) throws(Failure) in
                _ = try await client.verify(
                    VerificationOperation(
                        kind: .email, document: OctetString("Subject: probe\r\n\r\nprobe\r\n"), signature: nil,
                        originatorID: server.originatorID, requestID: "SES-" + UUID().uuidString),
                    answers: MemoryCollecting(limit: 1 << 20))
            }
        }
        return failures
    }

    private static func call(
        _ address: String, _ server: SESSettings, choose: (inout DSSClientConfiguration, String) -> Void,
        with work: (DSSClient) async throws(Failure) -> Void
    ) async -> [String] {
        do {
            var configuration = try server.clientConfiguration()
            (configuration.signing, configuration.verification) = (nil, nil)
            choose(&configuration, address)
            let client = try DSSClient(configuration)
            do {
                try await work(client)
            } catch {
                await client.shutDown()
                // A refusal of the probe is an answer; only silence and a wrong configuration are not.
                return error.permanence == .transient || error.pointsAtConfiguration
                    ? ["\(address): \(error.summary)"] : []
            }
            await client.shutDown()
            return []
        } catch let error as ProgramError {
            return [error.text]
        } catch {
            return ["\(address): \(error)"]
        }
    }
}
