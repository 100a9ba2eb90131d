// Importers on real files and on what happens to files.
#include "topology/import/import.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "sim/base/quantity.h"
#include "topology/check.h"
#include "topology/graph.h"
#include "topology/import/known_gpus.h"
#include "topology/import/sources.h"
#include "topology/load.h"
#include "topology/route.h"
#include "topology/write.h"

namespace pipescope::topology {
namespace {

std::string Sample(const std::string& name) {
  std::ifstream file("tests/topology/data/" + name);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr const char* kSamples[] = {"aws_p4d-24xl-topo.xml",
                                    "azure_ndv2-topo.xml",
                                    "azure_ndv4-topo.xml",
                                    "h100_dump.xml",
                                    "h100_vm.xml",
                                    "a100x8_4nic.txt",
                                    "dgx_h100x8_mlx5cols.txt",
                                    "gpux4_nv3pairs_mlx5_oldstyle.txt",
                                    "ib_small.out"};

Cluster Good(const std::string& text, const ImportOptions& options = {}) {
  auto imported = ImportTopology(text, "f", options);
  EXPECT_TRUE(imported) << imported.error().ToString();
  return imported ? imported->cluster : Cluster();
}

std::string ErrorOf(const std::string& text, const ImportOptions& options = {}) {
  auto imported = ImportTopology(text, "f", options);
  return imported ? "no error" : imported.error().ToString();
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Import, WhatIsWrittenReadsBackAsTheSame) {
  for (const char* name : kSamples) {
    auto imported = ImportTopology(Sample(name), name, {});
    ASSERT_TRUE(imported) << imported.error().ToString();
    auto again = ParseCluster(ParseDocument(imported->yaml, name).value());
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_EQ(ClusterYaml(*again, {}), ClusterYaml(imported->cluster, {})) << name;
    EXPECT_EQ(again->unknown.empty(), CheckKnown(*again).has_value());
  }
  for (const std::string& name : ShippedClusters()) {
    const Cluster cluster = LoadCluster(name).value();
    auto again = ParseCluster(ParseDocument(ClusterYaml(cluster, {}), name).value());
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_EQ(ClusterYaml(*again, {}), ClusterYaml(cluster, {}));
    EXPECT_EQ(again->gpu.memory, cluster.gpu.memory);
    EXPECT_EQ(again->node.nvlink_latency, cluster.node.nvlink_latency);
  }
}

TEST(Nccl, DumpOfAnH100) {
  const Cluster cluster = Good(Sample("h100_dump.xml"));
  EXPECT_EQ(cluster.gpu.name, "H100 SXM5 80 GB");
  EXPECT_EQ(cluster.node.gpus, 8);
  EXPECT_EQ(cluster.node.nics, 8);  // of ten, two are near no GPU
  EXPECT_EQ(Format(cluster.node.nic), "50.00 GB/s");
  EXPECT_DOUBLE_EQ(cluster.node.nvlink.value(), 18 * 20.6e9);
  EXPECT_EQ(cluster.node.nvlink_nominal, GigabytesPerSecond(450));
  EXPECT_NEAR(cluster.node.pcie.value(), 63.015e9, 1e6);
  EXPECT_TRUE(cluster.unknown.empty());
}

TEST(Nccl, VendorFilesWithoutGpuElements) {
  const Cluster aws = Good(Sample("aws_p4d-24xl-topo.xml"));
  EXPECT_EQ(aws.gpu.name, "A100 SXM4 40 GB");
  EXPECT_EQ(aws.node.gpus, 8);
  EXPECT_EQ(aws.node.nics, 4);
  EXPECT_DOUBLE_EQ(aws.node.nvlink.value(), 240e9);
  EXPECT_NEAR(aws.node.pcie.value(), 15.754e9, 1e6);  // Gen 3 x16
  const Cluster azure = Good(Sample("azure_ndv4-topo.xml"));
  EXPECT_EQ(azure.node.gpus, 8);
  EXPECT_EQ(azure.node.nics, 8);
  EXPECT_EQ(CheckKnown(azure).error().field, "gpu.sms");
  const Cluster named = Good(Sample("azure_ndv4-topo.xml"), {.gpu = "a100 sxm4 40gb"});
  EXPECT_TRUE(CheckKnown(named));
  EXPECT_DOUBLE_EQ(named.node.nvlink.value(), 240e9);
  EXPECT_EQ(Good(Sample("azure_ndv2-topo.xml")).node.nics, 1);
}

TEST(Nccl, VirtualMachinesHideTheSwitch) {
  const Cluster cluster = Good(Sample("h100_vm.xml"));
  EXPECT_DOUBLE_EQ(cluster.node.nvlink.value(), 18 * 20.6e9);  // sm 90 tells the generation
  EXPECT_FALSE(CheckKnown(cluster));                           // but not the GPU
  EXPECT_NEAR(cluster.node.pcie.value(), 15.754e9, 1e6);       // as NCCL takes it
}

TEST(Nccl, BadFiles) {
  const std::string good = Sample("h100_dump.xml");
  EXPECT_EQ(ErrorOf(Sample("azure_ndv4-topo.xml").substr(0, 700)).substr(0, 29),
            "f:10:3: not well-formed XML: ");
  EXPECT_EQ(ErrorOf(Replaced(good, "version=\"1\"", "version=\"2\"")),
            "f:2:1: system version '2'; expected 1");
  EXPECT_EQ(ErrorOf("<graphs version=\"1\"></graphs>"),
            "f:1:1: these are NCCL's graphs (NCCL_GRAPH_FILE); expected its topology, whose root "
            "is <system>");
  EXPECT_EQ(ErrorOf("<system version=\"1\"><cpu/></system>").substr(0, 15), "f:1:36: no GPU:");
  EXPECT_EQ(ErrorOf(Replaced(good, "count=\"5\"", "count=\"-5\"")),
            "f:7:11: nvlink count '-5'; expected a whole number from 1 to 64");
  EXPECT_EQ(ErrorOf(Replaced(good, "<system", "<!DOCTYPE system [<!ENTITY a \"b\">]>\n<system")),
            "f:2:18: a document type is not expected here");
  EXPECT_EQ(
      ErrorOf("<system version=\"1\"><pci busid=\"" + std::string(300, 'a') + "\"/></system>"),
      "f:1:21: busid: longer than 255 bytes; NCCL reads no more");
  std::string deep = "<system version=\"1\">";
  for (int i = 0; i < 100; ++i) deep += "<pci busid=\"" + std::to_string(i) + "\">";
  EXPECT_NE(ErrorOf(deep).find("more than 64 elements inside one another"), std::string::npos);
}

TEST(NvidiaSmi, CountsLinks) {
  const Cluster a100 = Good(Sample("a100x8_4nic.txt"));
  EXPECT_EQ(a100.node.gpus, 8);
  EXPECT_EQ(a100.node.nics, 4);
  EXPECT_DOUBLE_EQ(a100.node.nvlink.value(), 240e9);  // 12 links; only Ampere fits
  const Cluster h100 = Good(Sample("dgx_h100x8_mlx5cols.txt"), {.gpu = "H100 SXM5 80 GB"});
  EXPECT_DOUBLE_EQ(h100.node.nvlink.value(), 18 * 20.6e9);
  EXPECT_EQ(h100.node.nics, 8);
  const auto pairs = ReadTopoMatrix(Sample("gpux4_nv3pairs_mlx5_oldstyle.txt"), "f");
  ASSERT_TRUE(pairs);
  EXPECT_TRUE(pairs->uneven);
  EXPECT_EQ(pairs->nvlinks, 3);
  const auto mesh = ReadTopoMatrix(
      "\tGPU0\tGPU1\tGPU2\tGPU3\nGPU0\t X \tNV4\tNV4\tNV4\nGPU1\tNV4\t X \tNV4\tNV4\n"
      "GPU2\tNV4\tNV4\t X \tNV4\nGPU3\tNV4\tNV4\tNV4\t X \n",
      "f");
  ASSERT_TRUE(mesh) << mesh.error().ToString();
  EXPECT_EQ(mesh->nvlinks, 12);
}

TEST(NvidiaSmi, DamageInTheWild) {
  const std::string good = Sample("a100x8_4nic.txt");
  const std::string clean = ClusterYaml(Good(good), {});
  std::string underlined = "$ nvidia-smi topo -m\n\x1b[4m" + good;
  underlined = Replaced(underlined, "\nGPU0", "\x1b[0m\r\nGPU0");
  EXPECT_EQ(ClusterYaml(Good(underlined), {}), clean);
  EXPECT_EQ(ClusterYaml(Good(Replaced(good, "PXB\tPXB\tSYS", "PXBPXBSYS")), {}), clean);
  EXPECT_EQ(ClusterYaml(Good(Replaced(good, "NV12\tPXB", "NV12PXB")), {}), clean);
  EXPECT_EQ(ClusterYaml(Good(Replaced(good, "SYS\t0-31", "SYS0-31")), {}), clean);
  EXPECT_EQ(ClusterYaml(Good(Replaced(good, "\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID", "")), {}),
            clean);
  std::string spaces = good;
  for (char& c : spaces) c = c == '\t' ? ' ' : c;
  EXPECT_EQ(ClusterYaml(Good(spaces), {}), clean);
}

TEST(NvidiaSmi, BadMatrices) {
  const std::string good = Sample("a100x8_4nic.txt");
  EXPECT_EQ(ErrorOf(good.substr(0, good.find("GPU7\tNV"))), "f:9: the row of GPU7 is missing");
  EXPECT_EQ(ErrorOf(Replaced(good, "PXB\tPXB\tSYS\tSYS", "PXB\tPXB\tS?S\tSYS")),
            "f:2: row GPU0 has 10 cells that can be read; the header on line 1 has 12 columns");
  EXPECT_EQ(ErrorOf(Replaced(good, " X \tNV12", "NV12\tNV12")),
            "f:2: row GPU0: column GPU0 is not X");
  EXPECT_EQ(ErrorOf(Replaced(good, "X \tNV12", "X \tNV8")),
            "f:1: GPU0 and GPU1 disagree on what joins them");
  EXPECT_EQ(ErrorOf("hello"),
            "f: neither NCCL's XML nor nvidia-smi's matrix nor ibnetdiscover's "
            "records; expected one of them");
}

TEST(IbNetDiscover, SmallNetwork) {
  const Cluster cluster = Good(Sample("ib_small.out"));
  EXPECT_EQ(cluster.nodes, 4);
  EXPECT_EQ(cluster.node.nics, 2);
  EXPECT_EQ(Format(cluster.node.nic), "50.00 GB/s");
  const Counts counts = CountParts(cluster);
  EXPECT_EQ(counts.leaves, 2);
  EXPECT_EQ(counts.spines, 2);
  EXPECT_EQ(counts.switch_cables, 8);
  ASSERT_EQ(cluster.faults.slow_nics.size(), 1u);
  EXPECT_EQ(cluster.faults.slow_nics[0].at, (NicAt{2, 1}));
  EXPECT_EQ(cluster.faults.slow_nics[0].rate, GigabytesPerSecond(25));
  const Router router(cluster);
  EXPECT_EQ(router.Name(router.Between(0, 2).vertices[2]), "leaf-0");
  // Node 3 has no second NIC: what is for its GPU 7 goes by the first, and over NVLink.
  const Route route = router.Between(0, 7);
  EXPECT_EQ(router.Name(route.vertices[route.vertices.size() - 3]), "gpu 6");
}

TEST(IbNetDiscover, CombinesWithANode) {
  const Cluster cluster = Good(Sample("ib_small.out"), {.node = "h100_dgx_pod"});
  EXPECT_EQ(cluster.gpus(), 32);
  EXPECT_EQ(cluster.node.nics, 2);
  EXPECT_EQ(cluster.gpu.sms, 132);
  EXPECT_TRUE(CheckKnown(cluster));
  EXPECT_TRUE(CheckCluster(cluster));
  const Cluster pod = Good(Sample("h100_dump.xml"), {.fabric = "h100_dgx_pod", .nodes = 64});
  EXPECT_EQ(pod.gpus(), 512);
  EXPECT_EQ(CountParts(pod).leaves, 16);
}

TEST(IbNetDiscover, BadFiles) {
  const std::string good = Sample("ib_small.out");
  EXPECT_EQ(ErrorOf(good.substr(0, good.find("Ca\t1"))),
            "f:13: H-00000000000a0000 has no record of its own: the file is not whole");
  EXPECT_EQ(ErrorOf(Replaced(good, "lid 100 4xNDR", "lid 100")),
            "f:13: the port's rate is missing; expected such as 4xNDR at the end");
  EXPECT_EQ(ErrorOf(Replaced(good, "[2]\t", "2]\t")).substr(0, 8), "f:14: '2");
  EXPECT_NE(ErrorOf(Replaced(good, "\"[1](00000000000a0002)", "\"[2](00000000000a0002)"))
                .find("the file is not whole"),
            std::string::npos);
}

// Whatever a disk or a network does to a file: a cluster that can be built, or an error.
void ExpectCalm(const std::string& text, const std::string& name) {
  auto imported = ImportTopology(text, name, {});
  if (!imported) {
    EXPECT_FALSE(imported.error().message.empty());
    return;
  }
  auto again = ParseCluster(ParseDocument(imported->yaml, name).value());
  EXPECT_TRUE(again) << again.error().ToString() << "\n" << imported->yaml;
}

TEST(Damage, TruncatedAnywhere) {
  for (const char* name : kSamples) {
    const std::string good = Sample(name);
    const size_t step = std::max<size_t>(1, good.size() / 400);
    for (size_t size = 0; size < good.size(); size += step) ExpectCalm(good.substr(0, size), name);
  }
}

TEST(Damage, BytesFlippedAndLinesLost) {
  std::mt19937 random(9);
  for (const char* name : kSamples) {
    const std::string good = Sample(name);
    for (int round = 0; round < 300; ++round) {
      std::string text = good;
      for (size_t flips = 1 + random() % 4; flips > 0; --flips) {
        text[random() % text.size()] = static_cast<char>(random());
      }
      if (round % 3 == 0) text.erase(random() % text.size(), random() % 60);
      if (round % 5 == 0)
        text.insert(random() % text.size(), text.substr(random() % text.size(), 80));
      ExpectCalm(text, name);
    }
  }
}

TEST(KnownGpus, AreFoundByAnyName) {
  for (const KnownGpu& known : KnownGpus()) {
    EXPECT_EQ(FindByName(known.gpu.name), &known);
    EXPECT_GT(known.gpu.memory.value(), 0);
  }
  EXPECT_EQ(FindByPci("0x2324")->gpu.name, "H800 SXM5 80 GB");
  EXPECT_EQ(FindByPci("0xffff"), nullptr);
  EXPECT_EQ(ErrorOf(Sample("h100_vm.xml"), {.gpu = "H100 SXM5 80GBs"}),
            "--gpu 'H100 SXM5 80GBs' is not known; did you mean 'H100 SXM5 80 GB'?");
}

}  // namespace
}  // namespace pipescope::topology
