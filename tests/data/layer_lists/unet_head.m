// The first layers of U-Net (valid convolutions), and what else a list may hold.
Constant Tokens 128;
Accelerator { PE { NumPEs: 128; } }

Network head {
	FPS: 30
	Dependency: {
		other
	}

	Layer CONV1_1 {
		Type: CONV
		Dimensions { K: 64, C:1, R: 3, S: 3, Y: 572, X: 572 }
		Dataflow { SpatialMap(1,1) K; Cluster(64, P); }
	}

	Layer CONV1_2 {
		Type: CONV
		Dimensions { K 64,C 64,R 3,S 3,Y 570,X 570 }
	}
}

Network all_types {
	Layer strided { Type: CONV Stride { X: 2, Y: 2 } Dimensions: { N: 1, K: 32, C: 3, Y: 225, X: 225, R: 3, S: 3 } }
	Layer strided { Type: DSCONV /* a name twice,
	and a comment over two lines */ Dimensions { K: 1, C: 32 R: 3, S: 3, Y: 114, X: 114 } }
	Layer up { Type: TRCONV Stride { X: 2, Y: 2 } Dimensions { K: 16, C: 32, R: 2, S: 2, Y: 112, X: 112 } }
	Layer fc { Type: FC Dimensions { K: 10, C: 64 } }
	Layer tokens { Type: GEMM Dimensions { M: Tokens, N: 512, K: 64 } }
	Layer scores { Type: BMM Dimensions { B: 8, M: Tokens, N: Tokens, K: 64 } }
}
